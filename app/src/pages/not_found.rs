//! An address that leads nowhere.

use leptos::prelude::*;

use crate::text::shell as text;
use crate::ui::title;
use crate::url;

/// Says so, and where to go.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    title(|| Some(text::NO_PAGE.into()));
    view! {
        <div class="empty">
            <h1>{text::NO_PAGE_HEADING}</h1>
            <p>{text::NO_PAGE_HELP}</p>
            <a class="button button-primary" href=url::OVERVIEW>{text::TO_OVERVIEW}</a>
        </div>
    }
}
