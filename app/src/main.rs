//! The page's entry point.
fn main() {
    leptos::mount::mount_to_body(|| {
        use leptos::prelude::*;
        use leptos_router::components::*;
        view! {<Router><p>"hi"</p></Router>}
    });
}
