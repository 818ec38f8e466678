//! The pages and their routes.

mod acknowledge_many;
mod add_form;
mod compare;
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

use crate::browser;
use crate::effect::on_change;
use crate::live::Live;
use crate::router::{Route, Router, Routes, use_path};
use crate::ui::{Now, Shell};

/// Every page, relative to the document's base.
const ROUTES: &[Route] = &[
    ("", || view! { <overview::OverviewPage /> }.into_any()),
    ("flags", || view! { <flags::FlagsPage /> }.into_any()),
    ("flags/:id", || view! { <flag::FlagPage /> }.into_any()),
    ("repositories", || view! { <repositories::RepositoriesPage /> }.into_any()),
    ("repository", || view! { <repository::RepositoryPage /> }.into_any()),
    ("group", || view! { <timeline::GroupPage /> }.into_any()),
    ("timeline", || view! { <timeline::TimelinePage /> }.into_any()),
    ("tag", || view! { <tag::TagPage /> }.into_any()),
    ("targets", || view! { <targets::TargetsPage /> }.into_any()),
    ("notifiers", || view! { <notifiers::NotifiersPage /> }.into_any()),
    ("settings", || view! { <settings::SettingsPage /> }.into_any()),
    ("styleguide", || view! { <styleguide::StyleguidePage /> }.into_any()),
    ("compare", || view! { <compare::ComparePage /> }.into_any()),
    ("digest/:digest", || view! { <digest::DigestPage /> }.into_any()),
];

/// Everything in the document's body.
#[component]
pub fn App() -> impl IntoView {
    Now::provide();
    Live::provide();
    view! {
        <Router routes=ROUTES>
            <Shell>
                <FocusOnNavigation />
                <Routes fallback=|| view! { <not_found::NotFoundPage /> }.into_any() />
            </Shell>
        </Router>
    }
}

/// A new page is read from its start: the focus goes there, as it does when a browser loads one.
#[component]
fn FocusOnNavigation() -> impl IntoView {
    let path = use_path();
    on_change(move || path.track(), || browser::focus("main"));
}
