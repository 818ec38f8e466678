//! Everything that ever pointed at a digest.

use leptos::prelude::*;
use tagwarden_model::api::{DigestUse, Page};

use crate::effect::on_change;
use crate::held::Held;
use crate::live::Live;
use crate::remote::Remote;
use crate::router::use_params_map;
use crate::ui::{CopyButton, DigestChip, Loaded, More, RepositoryName, When, title};
use crate::view::{Show, live, rows};
use crate::{api, text, url};

/// The page.
#[component]
pub fn DigestPage() -> impl IntoView {
    let params = use_params_map();
    let digest = Memo::new(move |_| params.with(|params| params.get("digest")).unwrap_or_default());
    title(move || Some(digest.with(|digest| digest.chars().take(15).collect())));
    let pages = RwSignal::new(1_u32);
    let uses = Remote::new(move || digest.get(), move |digest| api::digest(&digest, pages.get_untracked()));
    on_change(move || pages.track(), move || uses.reload());
    Live::here().keep_fresh(uses, |change| change.kind == tagwarden_model::api::ChangeKind::Events);
    view! {
        <div class="page-head"><h1>{text::DIGEST}</h1></div>
        <p class="digest-whole"><code>{digest}</code><CopyButton text=digest.into() what=text::digests::COPIED /></p>
        <Loaded remote=uses let:page><Uses page pages /></Loaded>
    }
}

#[component]
fn Uses(page: Held<Page<DigestUse>>, pages: RwSignal<u32>) -> impl IntoView {
    let words = live(move || {
        page.with(|page| {
            let now = page.items.iter().filter(|used| used.until.is_none()).count() as u64;
            text::digests::uses(page.items.len() as u64, now, page.next.is_some())
        })
    });
    let has_more = Signal::derive(move || page.with(|page| page.next.is_some()));
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
                    <tbody>{rows(move || page.get().items, row)}</tbody>
                </table>
            </div>
            <More has_more pages />
        </Show>
    }
}

fn row(used: DigestUse) -> impl IntoView {
    let until = match used.until {
        Some(at) => view! { <When at /> }.into_any(),
        None => view! { <span class="chip chip-ok">{text::digests::NOW}</span> }.into_any(),
    };
    let address = url::tag(&used.repository, &used.tag);
    view! {
        <tr>
            <td class="grow"><RepositoryName name=used.repository /></td>
            <td><a class="tag mono" href=address>{used.tag}</a></td>
            <td class="wide"><DigestChip digest=used.digest /></td>
            <td><When at=used.from /></td>
            <td>{until}</td>
        </tr>
    }
}
