//! What one more rule would change, before it is written into the file.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tagwarden_model::api::{PolicyPreview, PolicyRule, PreviewPolicy, ProposedRule, RuleSource};
use tagwarden_model::tag::Class;

use crate::api::{self, ApiError};
use crate::ui::{Copyable, RepositoryName};
use crate::view::{Show, live};
use crate::{browser, text, url};

/// A form for one rule, and what it would do.
#[component]
pub fn TryRule() -> impl IntoView {
    let tag = RwSignal::new(String::new());
    let repository = RwSignal::new(String::new());
    let class = RwSignal::new(Class::Release.word().to_owned());
    let busy = RwSignal::new(false);
    let answer = RwSignal::new(None::<Result<PolicyPreview, ApiError>>);
    let ask = move || {
        let text =
            |signal: RwSignal<String>| Some(signal.get_untracked().trim().to_owned()).filter(|text| !text.is_empty());
        let wanted = Class::ALL.iter().copied().find(|one| class.with_untracked(|class| one.word() == *class));
        let (repository, class) = (text(repository), wanted.unwrap_or(Class::Release));
        let first = text(tag).map(|tag| ProposedRule { repository, tag, class, severity: None, retention: false });
        busy.set(true);
        spawn_local(async move {
            let asked = async {
                let rules = api::policies().await?.items;
                let of_file = rules.into_iter().filter(|rule| rule.source == RuleSource::File);
                let of_file = of_file.filter_map(|rule| {
                    let PolicyRule { repository, tag, severity, retention, .. } = rule;
                    Some(ProposedRule { repository: Some(repository), tag, class: rule.class?, severity, retention })
                });
                let rules = first.into_iter().chain(of_file).collect();
                api::preview_policy(&PreviewPolicy { rules, repository: None }).await
            };
            let found = asked.await;
            answer.try_set(Some(found));
            busy.try_set(false);
        });
    };
    let send = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        ask();
    };
    let take = move |(of, pattern, to): (String, String, Class)| {
        repository.set(of);
        tag.set(pattern);
        class.set(to.word().to_owned());
        ask();
        browser::focus("rule-tag");
    };
    let shown = move || match answer.get()? {
        Ok(preview) => Some(told(preview, take)),
        Err(error) => Some(view! { <p class="form-error" role="alert"><bdi>{error.words()}</bdi></p> }.into_any()),
    };
    let line = Signal::derive(move || {
        let quoted = |text: String| format!("\"{}\"", text.trim().replace('\\', "\\\\").replace('"', "\\\""));
        let of = Some(repository.get()).filter(|of| !of.trim().is_empty());
        let of = of.map_or_else(String::new, |of| format!("repository = {}\n", quoted(of)));
        format!("[[policy]]\n{of}tag = {}\nclass = \"{}\"", quoted(tag.get()), class.get())
    });
    let option = |one: &Class| view! { <option value=one.word()>{text::kinds::class(*one)}</option> }.into_any();
    view! {
        <section class="stack-tight">
            <h2>{text::settings::TRY}</h2>
            <div class="card">
                <form class="filters" on:submit=send>
                    <input id="rule-tag" class="input" aria-label=text::settings::TRY_TAGS placeholder=text::settings::TRY_TAGS_EXAMPLE maxlength="400" bind:value=tag />
                    <input class="input" aria-label=text::settings::TRY_REPOSITORIES placeholder=text::settings::TRY_REPOSITORIES_EXAMPLE maxlength="400" bind:value=repository />
                    <select class="input" aria-label=text::CLASS bind:value=class>{Class::ALL.iter().map(option).collect_view()}</select>
                    <button class="button" type="submit" disabled=busy>{text::settings::TRY_ACT}</button>
                </form>
                <p class="form-help">{text::settings::TRY_HELP}</p>
                <div role="status">{live(shown)}</div>
                <Show when=move || tag.with(|tag| !tag.trim().is_empty())><Copyable what=text::settings::TRY_LINE text=line /></Show>
            </div>
        </section>
    }
}

fn told(preview: PolicyPreview, take: impl Fn((String, String, Class)) + Copy + 'static) -> AnyView {
    let words = text::settings::changed(&preview);
    let lines = preview.changes.into_iter().map(|change| {
        let words = text::settings::class_change(change.tags, change.from, change.to);
        view! { <li><RepositoryName name=change.repository />" "{words}" "<bdi class="mono quiet">{change.examples.join(", ")}</bdi></li> }
            .into_any()
    });
    let proposals = preview.proposals.into_iter().map(|proposal| {
        let why = text::settings::proposal(&proposal);
        let rule = (proposal.repository.clone(), proposal.pattern, proposal.class);
        let go = move |_| take(rule.clone());
        view! {
            <li>
                <RepositoryName name=proposal.repository />" "{why}" "
                <button class="button button-quiet" type="button" on:click=go>{text::settings::TRY_IT}</button>
            </li>
        }
        .into_any()
    });
    let severities = preview.severities.into_iter().map(|change| {
        let words = text::settings::severity_change(change.from, change.to);
        let (address, name) = (url::flag(change.flag), format!("{}:{}", change.repository, change.tag));
        view! { <li>{text::settings::TRY_FLAG} <a class="mono" href=address><bdi>{name}</bdi></a>{words}</li> }
            .into_any()
    });
    let rest = preview.truncated.then_some(text::settings::TRY_TRUNCATED);
    view! {
        <p><strong>{words}</strong>{rest}</p>
        <ul class="told">{lines.collect_view()}{severities.collect_view()}{proposals.collect_view()}</ul>
    }
    .into_any()
}
