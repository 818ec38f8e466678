//! What a repository has, while its name is typed.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use tagwarden_model::api::{Job, JobResult};

use crate::effect::effect;
use crate::view::live;
use crate::{api, meaning, text};

/// A name that stands for so long is typed.
const TYPED: Duration = Duration::from_millis(800);

/// Looks at the repository that is named and says what it has, in a few lines.
#[component]
pub fn Preview(name: RwSignal<String>) -> impl IntoView {
    let lines = RwSignal::new(String::new());
    effect({
        let last = StoredValue::new(None::<TimeoutHandle>);
        move || {
            if let Some(handle) = last.try_update_value(Option::take).flatten() {
                handle.clear();
            }
            let typed = name.get().trim().to_owned();
            lines.set(String::new());
            if typed.len() < 2 {
                return;
            }
            let look = move || {
                lines.try_set(text::adding::LOOKING.to_owned());
                spawn_local(async move {
                    let said = match api::preview(typed.clone()).await {
                        Ok(Job { result: Some(JobResult::Preview(preview)), .. }) => {
                            text::adding::preview(&preview).join("\n")
                        }
                        Ok(Job { error: Some(error), .. }) => meaning::sentence(&error),
                        Ok(_) => text::adding::TAKES_LONG.to_owned(),
                        Err(error) => error.words(),
                    };
                    if name.try_get_untracked().is_some_and(|name| name.trim() == typed) {
                        lines.try_set(said);
                    }
                });
            };
            last.set_value(set_timeout_with_handle(look, TYPED).ok());
        }
    });
    let line = |line: &str| view! { <p class="form-help"><bdi>{meaning::visible(line)}</bdi></p> };
    view! {
        <div id="preview" role="status">
            {live(move || lines.get().lines().map(line).collect_view())}
        </div>
    }
}
