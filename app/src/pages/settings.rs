//! What this server works by: registries, groups, and the rules that give tags their class. It is changed in the
//! configuration file; here it is shown, and tried.

use futures::try_join;
use leptos::prelude::*;
use tagwarden_model::api::{Group, PolicyRule, Registry, RegistryState};

use super::try_rule::TryRule;
use crate::live::Live;
use crate::meaning::{self, Tone};
use crate::remote::Remote;
use crate::ui::{Loaded, When, title};
use crate::view::live;
use crate::{api, browser, text, url};

#[derive(Clone)]
struct Settings {
    registries: Vec<Registry>,
    groups: Vec<Group>,
    rules: Vec<PolicyRule>,
}

async fn load() -> Result<Settings, api::ApiError> {
    let (registries, groups, rules) = try_join!(api::registries(), api::groups(), api::policies())?;
    Ok(Settings { registries: registries.items, groups: groups.items, rules: rules.items })
}

/// The page.
#[component]
pub fn SettingsPage() -> impl IntoView {
    title(|| Some(text::shell::SETTINGS.into()));
    let settings = Remote::new(|| (), |()| load());
    Live::here().keep_fresh(settings, |change| change.repository.is_none());
    let file = |path: &'static str, format: &'static str, name: &'static str| {
        let address = url::with_query(path, &[("format", Some(format))]);
        view! { <a href=address download="" rel="external">{name}</a> }.into_any()
    };
    let [before, after] = text::settings::FILES_BACKUP;
    let keys = |event| browser::set_single_keys(event_target_checked(&event));
    view! {
        <div class="page-head">
            <h1>{text::shell::SETTINGS}</h1>
            <p class="lead">{text::settings::LEAD}</p>
        </div>
        <Loaded remote=settings lines=8 let:data>
            <div class="stack">
                {live(move || data.with(|data| registries(&data.registries)))}
                {live(move || data.with(|data| groups(&data.groups)))}
                {live(move || data.with(|data| rules(&data.rules)))}
            </div>
        </Loaded>
        <div class="stack settings-more">
            <TryRule />
            <section class="stack-tight">
                <h2>{text::settings::BROWSER}</h2>
                <p class="card">
                    <label class="check">
                        <input type="checkbox" checked=browser::has_single_keys() on:change=keys />
                        {text::settings::KEYS}
                    </label>
                </p>
            </section>
            <section class="stack-tight">
                <h2>{text::settings::FILES}</h2>
                <p class="card">
                    {text::settings::FILES_EVENTS} {file("api/v1/events/export", "csv", "CSV")} {text::OR}
                    {file("api/v1/events/export", "json", "JSON")} {text::settings::FILES_FLAGS}
                    {file("api/v1/flags/export", "csv", "CSV")} {text::OR} {file("api/v1/flags/export", "json", "JSON")}
                    {before} <code>"tagwarden backup"</code> {after}
                </p>
            </section>
        </div>
    }
}

/// A section with a table, or the words that stand in for an empty one.
fn table(
    class: &'static str,
    name: &'static str,
    heads: &[&'static str],
    rows: Vec<AnyView>,
    empty: &'static str,
) -> AnyView {
    let heads = heads.iter().map(|head| view! { <th scope="col">{*head}</th> }.into_any()).collect_view();
    let body = if rows.is_empty() {
        view! { <p class="card quiet">{empty}</p> }.into_any()
    } else {
        view! {
            <div class="card table-card">
                <table class=class><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>
            </div>
        }
        .into_any()
    };
    view! { <section class="stack-tight"><h2>{name}</h2>{body}</section> }.into_any()
}

fn registries(registries: &[Registry]) -> AnyView {
    let row = |registry: &Registry| {
        let tone = match registry.state {
            RegistryState::Ok => Tone::Ok,
            RegistryState::New => Tone::Quiet,
            RegistryState::Unauthorized | RegistryState::Failing => Tone::Warning,
        };
        let reason = registry.state_reason.as_deref().map(meaning::visible);
        let reason = reason.map(|reason| view! { <p class="row-note"><bdi>{reason}</bdi></p> });
        let host = (registry.host != registry.name).then(|| registry.host.clone());
        view! {
            <tr>
                <td class="grow">
                    <a class="mono" href=url::find(&registry.host)><bdi>{registry.name.clone()}</bdi></a>
                    {host.map(|host| view! { <p class="row-note"><bdi class="mono">{host}</bdi></p> })}
                    <p class="row-note">{text::settings::repositories(registry.repositories)}</p>
                    {reason}
                </td>
                <td>
                    <span class=tone.class()>{text::kinds::registry_state(registry.state)}</span>
                    {registry.state_since.map(|at| view! { <p class="row-note"><When at /></p> })}
                </td>
            </tr>
        }
        .into_any()
    };
    let rows = registries.iter().map(row).collect();
    table("table", text::settings::REGISTRIES, &text::settings::REGISTRIES_HEADS, rows, text::settings::REGISTRIES_NONE)
}

fn groups(groups: &[Group]) -> AnyView {
    let row = |group: &Group| {
        let address = url::with_query("repositories", &[("group", Some(&group.name))]);
        view! {
            <tr>
                <td class="grow"><a href=address><bdi>{group.name.clone()}</bdi></a></td>
                <td class="number">{text::grouped(group.repositories.len() as u64)}</td>
                <td>{text::settings::made_by(group.source)}</td>
            </tr>
        }
        .into_any()
    };
    let rows = groups.iter().map(row).collect();
    table("table", text::settings::GROUPS, &text::settings::GROUPS_HEADS, rows, text::settings::GROUPS_NONE)
}

fn rules(rules: &[PolicyRule]) -> AnyView {
    let row = |(at, rule): (usize, &PolicyRule)| {
        let class = rule.class.map_or(text::settings::BY_SHAPE, text::kinds::class);
        let cap = rule.severity.map(text::settings::severity_cap);
        let lowers = cap.into_iter().chain(rule.retention.then(|| text::settings::RETENTION.to_owned()));
        let tag = if rule.class.is_some() { rule.tag.clone() } else { text::settings::EVERY_OTHER_TAG.to_owned() };
        view! {
            <tr>
                <td class="number">{at + 1}</td>
                <td class="grow"><bdi class="mono">{tag}</bdi></td>
                <td><bdi class="mono">{rule.repository.clone()}</bdi></td>
                <td><span class="chip">{class}</span></td>
                <td>{lowers.collect::<Vec<_>>().join(", ")}</td>
                <td>{text::kinds::rule_source(rule.source)}</td>
            </tr>
        }
        .into_any()
    };
    let rows = rules.iter().enumerate().map(row).collect();
    table("table table-stacked", text::settings::RULES, &text::settings::RULES_HEADS, rows, "")
}
