//! All flags: by state, severity and name; many acknowledged at once; as a file.

use std::collections::BTreeMap;

use leptos::prelude::*;
use tagwarden_model::api::{Flag, Page};
use tagwarden_model::flag::FlagState;

use super::acknowledge_many::AcknowledgeMany;
use crate::effect::{leave_in_time, on_change};
use crate::held::Held;
use crate::live::Live;
use crate::remote::Remote;
use crate::router::{NavigateOptions, use_navigate, use_query_map};
use crate::ui::{FlagCard, Loaded, More, SummaryHere, title};
use crate::view::{Part, Show, list, live};
use crate::{api, meaning, text, url};

const STATES: [(&str, &str); 5] = [
    ("active", text::flags::ALL_NOT_CLOSED),
    ("open", text::flags::OPEN),
    ("acknowledged", text::flags::ACKNOWLEDGED),
    ("restored", text::flags::NEEDS_REVIEW),
    ("closed", text::flags::CLOSED),
];

const SEVERITIES: [(&str, &str); 3] = [
    ("", text::flags::ALL_SEVERITIES),
    ("warning", text::flags::WARNING_AND_CRITICAL),
    ("critical", text::flags::CRITICAL_ONLY),
];

/// What is asked for: all of it is in the address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asked {
    state: String,
    severity: String,
    find: String,
    group: String,
}

impl Asked {
    fn address(&self) -> String {
        let some = |text: &'static str, value| (text, Some(value));
        let query = [
            some("state", self.state.as_str()),
            some("severity", &self.severity),
            some("find", &self.find),
            some("group", &self.group),
        ];
        url::with_query("flags", &query)
    }
}

/// The flags that are selected, with the version that was looked at.
pub type Selected = RwSignal<BTreeMap<i64, i64>>;

/// The page.
#[component]
pub fn FlagsPage() -> impl IntoView {
    title(|| Some(text::shell::FLAGS.into()));
    let SummaryHere(summary) = expect_context();
    let query = use_query_map();
    let asked = Memo::new(move |_| {
        let of = |key: &str| query.with(|query| query.get(key)).unwrap_or_default();
        let wanted = of("state");
        let known = STATES.into_iter().map(|(state, _)| state).find(|state| *state == wanted);
        let state = known.unwrap_or("active").to_owned();
        Asked { state, severity: of("severity"), find: of("find"), group: of("group") }
    });
    let pages = RwSignal::new(1_u32);
    let flags = Remote::new(
        move || asked.get(),
        move |asked| {
            let pages = pages.get_untracked();
            async move { api::flags_of(&asked.state, &asked.severity, &asked.find, &asked.group, pages).await }
        },
    );
    on_change(move || pages.track(), move || flags.reload());
    Live::here().keep_fresh(flags, |change| change.kind == tagwarden_model::api::ChangeKind::Flag);
    let selected: Selected = RwSignal::new(BTreeMap::new());
    on_change(move || asked.track(), move || selected.update(BTreeMap::clear));
    let tab = move |(value, name): (&'static str, &'static str)| {
        let current = move || asked.with(|asked| asked.state == value).then_some("page");
        let address = move || asked.with(|asked| Asked { state: value.into(), ..asked.clone() }.address());
        view! { <a class="segment" href=address aria-current=current>{name}</a> }.into_any()
    };
    view! {
        <div class="page-head">
            <h1>{text::shell::FLAGS}</h1>
            <p class="lead">{live(move || summary.data.get().map(|summary| text::flags::headline(&summary)))}"\u{a0}"</p>
        </div>
        <div class="filters">
            <nav class="segments" aria-label=text::flags::STATES>{STATES.map(tab).collect_view()}</nav>
            <Filters asked />
        </div>
        <Loaded remote=flags let:page><FlagList page pages asked selected /></Loaded>
        <AcknowledgeMany selected shown=flags.data on_done=move || flags.reload() />
    }
}

/// Severity, text, and the way out as a file.
#[component]
fn Filters(asked: Memo<Asked>) -> impl IntoView {
    let navigate = use_navigate();
    let change = move |asked: Asked| {
        navigate(&asked.address(), NavigateOptions { replace: true, scroll: false });
    };
    let by_severity = move |event| change(Asked { severity: event_target_value(&event), ..asked.get_untracked() });
    let by_text = move |event| change(Asked { find: event_target_value(&event), ..asked.get_untracked() });
    let option = move |(value, name): (&'static str, &'static str)| {
        let chosen = move || asked.with(|asked| asked.severity == value);
        view! { <option value=value prop:selected=chosen>{name}</option> }.into_any()
    };
    let group = live(move || {
        let asked = asked.get();
        (!asked.group.is_empty()).then(|| {
            let rest = Asked { group: String::new(), ..asked.clone() }.address();
            view! { <a class="chip" href=rest title=text::flags::ALL_GROUPS>{text::flags::ONE_GROUP} <bdi>{asked.group}</bdi>" ×"</a> }
                .into_any()
        })
    });
    let file = move |format: &'static str, name: &'static str| {
        let address = move || {
            asked.with(|asked| {
                let query = [
                    ("format", Some(format)),
                    ("state", Some(asked.state.as_str())),
                    ("severity", Some(&asked.severity)),
                    ("contains", Some(&asked.find)),
                    ("group", Some(&asked.group)),
                ];
                url::with_query("api/v1/flags/export", &query)
            })
        };
        view! { <a href=address download="" rel="external">{name}</a> }.into_any()
    };
    view! {
        <input
            class="input"
            type="search"
            placeholder=text::flags::FIND
            aria-label=text::flags::FIND_LABEL
            maxlength="300"
            prop:value=move || asked.with(|asked| asked.find.clone())
            on:change=by_text
        />
        <select class="input" aria-label=text::flags::SEVERITY on:change=by_severity>{SEVERITIES.map(option).collect_view()}</select>
        {group}
        <p class="filters-file">{text::flags::AS_FILE} {file("csv", "CSV")} {text::OR} {file("json", "JSON")}</p>
    }
}

#[component]
fn FlagList(page: Held<Page<Flag>>, pages: RwSignal<u32>, asked: Memo<Asked>, selected: Selected) -> impl IntoView {
    let SummaryHere(summary) = expect_context();
    let has_more = Signal::derive(move || page.with(|page| page.next.is_some()));
    let first =
        move || page.with(|page| page.items.iter().find(|flag| meaning::needs_attention(flag)).map(|flag| flag.id));
    let can_act = Memo::new(move |_| {
        leave_in_time();
        summary.data.with(|data| data.is_some_and(|data| !data.read_only))
    });
    // What one pass found together is one row, and is taken note of together.
    let row = move |together: Vec<Flag>| {
        let flags: Vec<(i64, i64)> =
            together.iter().filter(|flag| flag.state == FlagState::Open).map(|flag| (flag.id, flag.version)).collect();
        let mut together = together.into_iter();
        let Some(flag) = together.next() else { return ().into_any() };
        let label = text::flags::select(&meaning::subject(&flag), together.len() as u64);
        let (is_first, others) = (first() == Some(flag.id), together.len() as u64);
        let ids: Vec<i64> = flags.iter().map(|(id, _)| *id).collect();
        let is_selected =
            move || selected.with(|selected| !ids.is_empty() && ids.iter().all(|id| selected.contains_key(id)));
        let can_select = !flags.is_empty();
        let select = move |event| {
            selected.update(|selected| {
                if event_target_checked(&event) {
                    selected.extend(flags.iter().copied());
                } else {
                    selected.retain(|id, _| flags.iter().all(|(flag, _)| flag != id));
                }
            });
        };
        // A place is kept beside those that need nobody, so that all cards begin on one line.
        let mark = can_select.then(|| {
            view! { <input type="checkbox" aria-label=label prop:checked=is_selected on:change=select /> }.into_any()
        });
        let mark = view! { <span class="flag-select" hidden=move || !can_act.get()>{mark}</span> }.into_any();
        let rest = (others > 0).then(|| {
            let links = together.map(|flag| {
                view! { <li><a href=url::flag(flag.id)><bdi>{flag.tag.unwrap_or_default()}</bdi></a></li> }.into_any()
            });
            let words = text::other_releases(others);
            view! { <details class="flag-others"><summary>{words}</summary><ul>{links.collect_view()}</ul></details> }
                .into_any()
        });
        view! { <div class="flag-row">{mark}<div><FlagCard flag first=is_first others />{rest}</div></div> }.into_any()
    };
    let rows = move || {
        let part = |together: Vec<Flag>| {
            let versions = together.iter().flat_map(|flag| [flag.id.to_string(), flag.version.to_string()]);
            (versions.collect::<Vec<_>>().join(" "), Box::new(move || row(together)) as Part)
        };
        meaning::together(page.get().items).into_iter().map(part).collect()
    };
    let is_filtered =
        move || asked.with(|asked| !(asked.find.is_empty() && asked.severity.is_empty() && asked.group.is_empty()));
    view! {
        <div class="stack-tight">
            {list(rows)}
        </div>
        <Show when=move || page.with(|page| page.items.is_empty())>
            <div class="empty">
                <h2>{live(move || if is_filtered() { text::flags::NONE_FITS } else { text::flags::NONE })}</h2>
                <p>{text::flags::NONE_HELP}</p>
            </div>
        </Show>
        <More has_more pages />
    }
}
