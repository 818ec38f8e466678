//! An address that leads nowhere.

use leptos::prelude::*;

use crate::ui::title;
use crate::url;

/// Says so, and where to go.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    title(|| Some("Not found".into()));
    view! {
        <div class="empty">
            <h1>"There is no page at this address."</h1>
            <p>"The link may be of another version, or mistyped. Flags and repositories are listed on the overview."</p>
            <a class="button button-primary" href=url::OVERVIEW>"Go to the overview"</a>
        </div>
    }
}
