//! The pages and their routes.

mod acknowledge_many;
mod add_form;
mod digest;
mod do_not_use;
mod event_list;
mod flag;
mod flag_acts;
mod flag_story;
mod flag_window;
mod flags;
mod groups;
mod not_found;
mod notifiers;
mod overview;
mod paste_form;
mod preview;
mod purge;
mod recent;
mod repositories;
mod repository;
mod repository_facts;
mod settings;
mod styleguide;
mod tag;
mod tag_table;
mod targets;
mod timeline;
mod try_rule;
mod way_back;

use leptos::prelude::*;
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::hooks::use_location;
use leptos_router::path;

use crate::effect::on_change;
use crate::live::Live;
use crate::ui::{Now, Shell};
use crate::{browser, url};

/// Everything in the document's body.
#[component]
pub fn App() -> impl IntoView {
    Now::provide();
    Live::provide();
    let base = url::prefix(&browser::base_uri()).to_owned();
    view! {
        <Router base>
            <Shell>
                <FocusOnNavigation />
                <FlatRoutes fallback=|| view! { <not_found::NotFoundPage /> }>
                    <Route path=path!("/") view=overview::OverviewPage />
                    <Route path=path!("/flags") view=flags::FlagsPage />
                    <Route path=path!("/flags/:id") view=flag::FlagPage />
                    <Route path=path!("/repositories") view=repositories::RepositoriesPage />
                    <Route path=path!("/repository") view=repository::RepositoryPage />
                    <Route path=path!("/group") view=timeline::GroupPage />
                    <Route path=path!("/timeline") view=timeline::TimelinePage />
                    <Route path=path!("/tag") view=tag::TagPage />
                    <Route path=path!("/targets") view=targets::TargetsPage />
                    <Route path=path!("/notifiers") view=notifiers::NotifiersPage />
                    <Route path=path!("/settings") view=settings::SettingsPage />
                    <Route path=path!("/styleguide") view=styleguide::StyleguidePage />
                    <Route path=path!("/digest/:digest") view=digest::DigestPage />
                </FlatRoutes>
            </Shell>
        </Router>
    }
}

/// A new page is read from its start: the focus goes there, as it does when a browser loads one.
#[component]
fn FocusOnNavigation() -> impl IntoView {
    let path = use_location().pathname;
    on_change(move || path.track(), || browser::focus("main"));
}
