//! The rules that give tags their class, and what others would change.

use axum::Json;
use axum::extract::State;
use tagwarden_model::api::{ErrorBody, Page, PolicyPreview, PolicyRule, PreviewPolicy, ProposedRule, RuleSource};
use tagwarden_model::class::TABLE;
use tagwarden_model::event::Severity;
use tagwarden_model::flag::Lowering;

use super::AppState;
use super::access::Caller;
use super::body::Body;
use super::error::ApiError;
use super::parameters::{self, Nothing, Query};
use crate::policy::{EVERYTHING, Policy, Rule};
use crate::preview::{MOST_TAGS, Preview};

/// Rules of a preview: each is tried on every tag.
const MOST_RULES: usize = 50;

/// The rules in force, in their order: the first that matches a tag gives its class. The last is the built-in table.
#[utoipa::path(get, path = "/api/v1/policies", tag = "policies", responses((status = 200, body = Page<PolicyRule>)))]
pub(super) async fn list(State(state): State<AppState>, _: Caller, _: Query<Nothing>) -> Json<Page<PolicyRule>> {
    let of_file = |rule: &Rule| PolicyRule {
        rule: rule.name().to_owned(),
        source: RuleSource::File,
        repository: rule.repository().to_owned(),
        tag: rule.tag().to_owned(),
        class: Some(rule.class()),
        severity: rule.lowering().cap,
        retention: rule.lowering().retention,
    };
    let table = PolicyRule {
        rule: TABLE.to_owned(),
        source: RuleSource::BuiltIn,
        repository: EVERYTHING.to_owned(),
        tag: EVERYTHING.to_owned(),
        class: None,
        severity: None,
        retention: false,
    };
    let config = state.configuration.borrow().config.clone();
    let items = config.policy.rules().iter().map(of_file).chain([table]).collect();
    Json(Page { items, next: None })
}

/// What these rules would change in place of the configured ones, and which rules the record suggests beyond them. Nothing
/// is written.
#[utoipa::path(post, path = "/api/v1/policies/preview", tag = "policies", request_body = PreviewPolicy,
    responses((status = 200, body = PolicyPreview), (status = 404, body = ErrorBody, description = "The repository is not watched.")))]
pub(super) async fn preview(
    State(state): State<AppState>,
    caller: Caller,
    _: Query<Nothing>,
    Body(asked): Body<PreviewPolicy>,
) -> Result<Json<PolicyPreview>, ApiError> {
    if asked.rules.len() > MOST_RULES {
        return Err(ApiError::invalid("rules", format!("at most {MOST_RULES} rules")));
    }
    let rules = asked.rules.iter().enumerate().map(|(at, proposed)| rule(at, proposed));
    let proposed = Policy::new(rules.collect::<Result<_, _>>()?);
    let repository = asked.repository.map(|name| parameters::repository("repository", &name)).transpose()?;
    // Nobody closes it.
    let _turn = state.previews.acquire().await;
    let config = state.configuration.borrow().config.clone();
    let preview = Preview {
        current: &config.policy,
        proposed: &proposed,
        repository: repository.as_ref(),
        now: state.now(),
        most_tags: MOST_TAGS,
    };
    let preview = preview.of(&state.store, caller.scope).await?;
    Ok(Json(preview.ok_or_else(|| ApiError::not_watched("repository"))?))
}

fn rule(at: usize, proposed: &ProposedRule) -> Result<Rule, ApiError> {
    let repository = proposed.repository.as_deref().unwrap_or(EVERYTHING);
    let invalid = |field: &str, reason: String| ApiError::invalid(format!("rules[{at}].{field}"), reason);
    let lowering = Lowering { cap: proposed.severity, retention: proposed.retention };
    if lowering.cap == Some(Severity::Critical) {
        return Err(invalid(
            "severity",
            "nothing is more severe than critical: `info` and `warning` lower something".into(),
        ));
    }
    if let Some((field, reason)) = lowering.mistakes(proposed.class).next() {
        return Err(invalid(field, reason.into()));
    }
    let rule = Rule::new(repository, &proposed.tag, proposed.class);
    rule.map(|rule| rule.lowered(lowering)).map_err(|error| invalid(error.field, error.reason))
}
