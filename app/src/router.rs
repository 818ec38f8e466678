//! The page's router: which page an address shows, and how the address changes without leaving the document.

use leptos::ev::{click, popstate};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlAnchorElement, MouseEvent};

use crate::browser;
use crate::route::{Params, matched};
use crate::view::live;

/// A pattern of paths such as `flags/:id`, and the page that shows them.
pub type Route = (&'static str, fn() -> AnyView);

/// How an address is gone to.
#[derive(Debug, Clone, Copy)]
pub struct NavigateOptions {
    /// The one before is forgotten, as for letters of a search that is being typed.
    pub replace: bool,
    /// The page is read from its top.
    pub scroll: bool,
}

impl Default for NavigateOptions {
    fn default() -> Self {
        Self { replace: false, scroll: true }
    }
}

/// A page, and what the address tells it. Each page has its own: one that goes away never sees the next one's.
#[derive(Clone)]
struct Shown {
    /// Its place among the routes; past the last one when there is none.
    route: usize,
    params: ArcRwSignal<Params>,
    query: ArcRwSignal<Params>,
}

#[derive(Clone, Copy)]
struct Router {
    routes: &'static [Route],
    /// Relative to the document's base.
    path: RwSignal<String>,
    shown: RwSignal<Shown>,
}

impl Router {
    /// The route of an address and what it holds.
    fn read(routes: &[Route], address: &str) -> (String, usize, Params, Params) {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let mut found = routes.iter().enumerate().filter_map(|(at, (pattern, _))| Some((at, matched(pattern, path)?)));
        let (route, params) = found.next().unwrap_or_else(|| (routes.len(), Params::default()));
        (path.to_owned(), route, params, Params::of_query(query))
    }

    fn start(routes: &'static [Route]) -> Self {
        let (path, route, params, query) = Self::read(routes, &browser::address());
        let shown = Shown { route, params: ArcRwSignal::new(params), query: ArcRwSignal::new(query) };
        let this = Self { routes, path: RwSignal::new(path), shown: RwSignal::new(shown) };
        provide_context(this);
        let clicks = window_event_listener(click, move |event| this.follow(&event));
        let returns = window_event_listener(popstate, move |_| this.show());
        on_cleanup(move || {
            clicks.remove();
            returns.remove();
        });
        this
    }

    /// Shows what the address says. Nothing runs between the changes: whoever reads them does so afterwards.
    fn show(self) {
        let (path, route, params, query) = Self::read(self.routes, &browser::address());
        let shown = self.shown.get_untracked();
        if shown.route == route {
            for (signal, value) in [(shown.params, params), (shown.query, query)] {
                if signal.with_untracked(|old| *old != value) {
                    signal.set(value);
                }
            }
        } else {
            self.shown.set(Shown { route, params: ArcRwSignal::new(params), query: ArcRwSignal::new(query) });
        }
        if self.path.with_untracked(|old| *old != path) {
            self.path.set(path);
        }
    }

    fn go(self, address: &str, options: NavigateOptions) {
        if options.replace || address != browser::address() {
            browser::set_address(address, options.replace);
        }
        self.show();
        if options.scroll {
            browser::scroll_to_top();
        }
    }

    /// Follows a plain click on a link to a page of ours. Everything else is the browser's.
    fn follow(self, event: &MouseEvent) {
        let with_key = event.meta_key() || event.alt_key() || event.ctrl_key() || event.shift_key();
        if event.default_prevented() || event.button() != 0 || with_key {
            return;
        }
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let link = target.and_then(|target| target.closest("a[href]").ok().flatten());
        let Some(link) = link.and_then(|link| link.dyn_into::<HtmlAnchorElement>().ok()) else { return };
        let is_external = link.rel().split_ascii_whitespace().any(|word| word == "external");
        if is_external || link.has_attribute("download") || !link.target().is_empty() {
            return;
        }
        if let Some(address) = browser::within_base(&link.href()) {
            event.prevent_default();
            self.go(&address, NavigateOptions { scroll: !link.has_attribute("data-noscroll"), replace: false });
        }
    }
}

/// Makes the address known to everything in it.
#[component]
pub fn Router(
    /// The routes of the page.
    routes: &'static [Route],
    children: Children,
) -> impl IntoView {
    Router::start(routes);
    children()
}

/// The page of the address. It is made anew for another route only: what changes within one, the page follows by itself.
#[component]
pub fn Routes(
    /// Shown when there is no such page.
    fallback: fn() -> AnyView,
) -> impl IntoView {
    let router: Router = expect_context();
    live(move || {
        let shown = router.shown.get();
        let page = router.routes.get(shown.route).map_or(fallback, |(_, page)| *page);
        provide_context(shown);
        page()
    })
}

/// The path of the address, relative to the document's base.
pub fn use_path() -> RwSignal<String> {
    expect_context::<Router>().path
}

/// What the path holds for the page's route.
pub fn use_params_map() -> RwSignal<Params> {
    expect_context::<Shown>().params.into()
}

/// What the query holds.
pub fn use_query_map() -> RwSignal<Params> {
    expect_context::<Shown>().query.into()
}

/// Goes to an address relative to the document's base, as links are.
pub fn use_navigate() -> impl Fn(&str, NavigateOptions) + Copy + Send + Sync + 'static {
    let router: Router = expect_context();
    move |address, options| router.go(address.trim_start_matches("./"), options)
}
