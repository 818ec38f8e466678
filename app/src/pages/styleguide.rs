//! Every part that pages are made of, in one place: the reference for new pages, and a quick look at a theme.

use leptos::prelude::*;
use tagwarden_model::digest::Digest;

use crate::meaning::Tone;
use crate::ui::{Copyable, Difference, DigestChip, RepositoryName, title};

/// Digests that show as many hues as there are.
fn digests() -> impl Iterator<Item = Digest> {
    (1..25_u64).filter_map(|seed| {
        let spread = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        format!("sha256:{spread:016x}{spread:016x}{seed:032x}").parse().ok()
    })
}

/// The page.
#[component]
pub fn StyleguidePage() -> impl IntoView {
    title(|| Some("Style guide".into()));
    let chips = [(Tone::Flag, "critical"), (Tone::Warning, "warning"), (Tone::Ok, "ready"), (Tone::Quiet, "release")];
    let chips = chips.map(|(tone, word)| view! { <span class=tone.class()>{word}</span> });
    let (before, after) = (digests().next(), digests().nth(1));
    let long = "registry.acme.example/platform/customer-experience/notification-preferences-synchronizer";
    view! {
        <div class="page-head">
            <h1>"A page opens with its conclusion in words."</h1>
            <p class="lead">"Then what leads to it. Three sizes of text, one accent, red for flags alone."</p>
        </div>
        <div class="stack">
            <section class="card">
                <h2>"Buttons: three weights, one primary a page"</h2>
                <p class="acts">
                    <button class="button button-primary" type="button">"Way back…"</button>
                    <button class="button" type="button">"Check now"</button>
                    <button class="button button-quiet" type="button">"Stop watching…"</button>
                    <button class="button" type="button" disabled>"Proving…"</button>
                </p>
            </section>
            <section class="card"><h2>"Chips: states and severities"</h2><p class="facts-words">{chips.collect_view()}</p></section>
            <section class="card">
                <h2>"Digests: a swatch of four bars from different bytes, and hex"</h2>
                <p class="facts-words">{digests().map(|digest| view! { <DigestChip digest /> }).collect_view()}</p>
                <p class="more"><Difference before=before.clone() after /></p>
                <p class="more"><Difference before after=None /></p>
            </section>
            <section class="card">
                <h2>"Texts to copy"</h2>
                <Copyable text=Signal::derive(|| "docker pull registry.acme.example/acme/payments-api@sha256:…".to_owned()) what="docker" />
            </section>
            <section class="stack-tight">
                <h2>"Tables: names left, numbers right, the middle of a long name gives way"</h2>
                <div class="card table-card">
                    <table class="table">
                        <thead>
                            <tr><th scope="col">"Repository"</th><th scope="col">"State"</th><th scope="col" class="number">"Tags"</th></tr>
                        </thead>
                        <tbody>
                            <tr>
                                <td class="grow"><RepositoryName name=long.to_owned() /></td>
                                <td><span class=Tone::Ok.class()>"ok"</span></td>
                                <td class="number">"1,204"</td>
                            </tr>
                            <tr>
                                <td class="grow"><RepositoryName name="ghcr.io/acme/api".to_owned() /></td>
                                <td><span class=Tone::Warning.class()>"late"</span></td>
                                <td class="number">"7"</td>
                            </tr>
                        </tbody>
                    </table>
                </div>
            </section>
            <section class="card">
                <h2>"Forms: a label above, help below, what is wrong in words"</h2>
                <div class="form">
                    <label class="form-label" for="sample">"Repository"</label>
                    <div class="form-row">
                        <input id="sample" class="input" placeholder="ghcr.io/acme/api" autocomplete="off" />
                        <button class="button" type="button">"Watch"</button>
                    </div>
                    <p class="form-help">"As docker would take it, without a tag."</p>
                    <p class="form-error">"The repository name is not valid at character 1."</p>
                    <p class="form-done">"ghcr.io/acme/api is watched from now on."</p>
                    <label class="check"><input type="checkbox" checked /><span>"ghcr.io/acme/api"</span></label>
                </div>
            </section>
            <section class="card">
                <h2>"One of few: segments"</h2>
                <div class="segments" role="group" aria-label="Sample">
                    <button class="segment" type="button" aria-pressed="false">"7 days"</button>
                    <button class="segment" type="button" aria-pressed="true">"30 days"</button>
                </div>
            </section>
            <section class="card">
                <h2>"While something loads"</h2>
                <div class="skeleton"><span class="skeleton-line"></span><span class="skeleton-line"></span></div>
            </section>
            <section class="card"><h2>"A note"</h2><p class="note note-warning">"Shown as of 08:41:12."</p></section>
            <section class="empty">
                <h2>"Nothing here says what to do next."</h2>
                <p>"An empty list names the step that fills it."</p>
            </section>
        </div>
    }
}
