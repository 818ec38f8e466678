//! A repository's name, shortened in its middle where room is short: the last part is what people call it.

use leptos::prelude::*;

use crate::meaning::split_name;
use crate::url;

/// The name as a link to its page.
#[component]
pub fn RepositoryName(name: String) -> impl IntoView {
    let (path, last) = split_name(&name);
    view! {
        <a class="repository-name" href=url::repository(&name) title=name.clone()>
            <span class="repository-name-path">{path.to_owned()}</span>
            <span class="repository-name-last">{last.to_owned()}</span>
        </a>
    }
}
