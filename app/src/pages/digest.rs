//! Everything that ever pointed at a digest.

use leptos::prelude::*;
use tagwarden_model::api::{DigestUse, Page};

use crate::held::Held;
use crate::live::Live;
use crate::remote::Remote;
use crate::router::use_params_map;
use crate::ui::{CopyButton, DigestChip, Loaded, RepositoryName, When, title};
use crate::view::{Show, live};
use crate::{api, text};

/// The page.
#[component]
pub fn DigestPage() -> impl IntoView {
    let params = use_params_map();
    let digest = Memo::new(move |_| params.with(|params| params.get("digest")).unwrap_or_default());
    title(move || Some(digest.with(|digest| digest.chars().take(15).collect())));
    let uses = Remote::new(move || digest.get(), |digest| api::digest(&digest));
    Live::here().keep_fresh(uses, |change| change.kind == tagwarden_model::api::ChangeKind::Events);
    view! {
        <div class="page-head"><h1>{text::DIGEST}</h1></div>
        <p class="digest-whole"><code>{digest}</code><CopyButton text=digest.into() what=text::digests::COPIED /></p>
        <Loaded remote=uses let:page><Uses page /></Loaded>
    }
}

#[component]
fn Uses(page: Held<Page<DigestUse>>) -> impl IntoView {
    let words = live(move || {
        page.with(|page| {
            let now = page.items.iter().filter(|used| used.until.is_none()).count() as u64;
            text::digests::uses(page.items.len() as u64, now)
        })
    });
    view! {
        <p class="lead">{words}</p>
        <Show when=move || page.with(|page| !page.items.is_empty())>
            <div class="card table-card">
                <table class="table">
                    <thead>
                        <tr>
                            <th scope="col">{text::REPOSITORY}</th>
                            <th scope="col">{text::TAG}</th>
                            <th scope="col" class="wide">{text::DIGEST}</th>
                            <th scope="col">{text::digests::FROM}</th>
                            <th scope="col">{text::digests::UNTIL}</th>
                        </tr>
                    </thead>
                    <tbody>{live(move || page.get().items.into_iter().map(row).collect_view())}</tbody>
                </table>
            </div>
        </Show>
    }
}

fn row(used: DigestUse) -> impl IntoView {
    let until = match used.until {
        Some(at) => view! { <When at /> }.into_any(),
        None => view! { <span class="chip chip-ok">{text::digests::NOW}</span> }.into_any(),
    };
    view! {
        <tr>
            <td class="grow"><RepositoryName name=used.repository /></td>
            <td><code class="tag">{used.tag}</code></td>
            <td class="wide"><DigestChip digest=used.digest /></td>
            <td><When at=used.from /></td>
            <td>{until}</td>
        </tr>
    }
}
