//! What surrounds every page, and parts that several pages use.

pub const SKIP: &str = "Skip to the page";
pub const OVERVIEW: &str = "Overview";
pub const FLAGS: &str = "Flags";
pub const REPOSITORIES: &str = "Repositories";
pub const TIMELINE: &str = "Timeline";
pub const NOTIFIERS: &str = "Notifiers";
pub const SETTINGS: &str = "Settings";
pub const PAGES: &str = "Pages";
pub const NEED_ATTENTION: &str = "need attention";
pub const VIEWS: &str = "Views";
pub const VIEWS_LABEL: &str = "Saved views";
pub const FORGET_VIEW: &str = "Delete this view";

pub const DEMO: &str = "Demo";
pub const DEMO_TELLING: &str = "A year of releases is being told: ";
pub const DEMO_PERCENT: &str = " %";
pub const DEMO_TOLD: &str = "told";
/// Before and after the command that watches one's own images.
pub const DEMO_NOTE: [&str; 2] = ["This is a demo: made-up images, nothing is kept. Watch your own with ", "."];
pub const READ_ONLY: &str = "Read-only";
/// The first words stand out.
pub const READ_ONLY_NOTE: [&str; 2] =
    ["Read-only.", " This server shows a record as it is: nothing is checked or decided here."];

pub const CONNECTING: &str = "Connecting";
pub const LIVE: &str = "Live";
pub const PAUSED: &str = "Paused";
pub const TIMES_IN: &str = "times in ";
pub const UPDATED: &str = "Tagwarden was updated. This page is of the version before.";
pub const STOPPED: &str = "This page has stopped because of a fault in it. What is shown may be old.";

pub const THEME: &str = "Theme";
pub const THEME_SYSTEM: &str = "System";
pub const THEME_LIGHT: &str = "Light";
pub const THEME_DARK: &str = "Dark";

pub const FIND: &str = "Find";
pub const FIND_BUTTON: &str = "Find a repository, tag or digest";
pub const FIND_FIELD: &str = "Repository, tag, version or digest";
pub const FIND_LIST: &str = "What it leads to";
pub const FIND_NOTHING: &str = "Nothing found.";
pub const FIND_FAILED: &str = "The server did not answer; what is shown is what this page knows.";
/// Before and after the name of the view.
pub const KEEP_VIEW: [&str; 2] = ["Save this view as “", "”"];

pub const KEYS: &str = "Keys of every page";
/// The keys, with what they do.
pub const PAGE_KEYS: [(&str, &str); 4] = [
    ("/", "find a repository, tag or digest"),
    ("Ctrl-K or Cmd-K", "the same, while you type, too"),
    ("?", "these keys; in a timeline, its own"),
    ("Esc", "close what is open"),
];
pub const CLOSE: &str = "Close";

/// What a row of the search leads to.
pub const KIND_DIGEST: &str = "digest";
pub const KIND_TAG: &str = "tag";
pub const KIND_REPOSITORY: &str = "repository";
pub const KIND_VIEW: &str = "view";
pub const KIND_PAGE: &str = "page";
pub const DIGEST_DETAIL: &str = "everything that pointed at it";
/// After the repository of a tag.
pub const TAG_FLAGGED: &str = ", flagged";
pub const TAG_GONE: &str = ", not there any more";

pub const COPY: &str = "Copy";
pub const COPIED: &str = "Copied";
pub const COPY_BY_KEYS: &str = "Copy it with Ctrl-C or Cmd-C";
pub const DISMISS: &str = "Dismiss";

pub const UNREACHABLE: &str = "The server cannot be reached.";
pub const UNREACHABLE_STEP: &str = "Check that Tagwarden runs and that you are online, then try again.";
pub const NOT_FOUND_STEP: &str = "It may have been removed, or the address is mistyped.";
pub const FORBIDDEN_STEP: &str = "Only whoever runs this server can change that.";
pub const TOO_SLOW_STEP: &str = "The connection may be slow. Try again.";
pub const TOO_LARGE_STEP: &str = "Send it in smaller parts.";
pub const CONFLICT_STEP: &str = "Somebody else was faster. Look at the new state, then decide.";
pub const REFUSED_STEP: &str = "Correct it and try again.";
pub const UNINTELLIGIBLE_STEP: &str = "Reload the page. A proxy in between may also have answered.";

/// Why an answer could not be read.
pub const NO_JSON: &str = "no JSON";

pub const NO_PAGE: &str = "Not found";
pub const NO_PAGE_HEADING: &str = "There is no page at this address.";
pub const NO_PAGE_HELP: &str =
    "The link may be of another version, or mistyped. Flags and repositories are listed on the overview.";
pub const TO_OVERVIEW: &str = "Go to the overview";

/// The title of the tab.
pub fn tab(page: Option<&str>, attention: u64) -> String {
    let count = if attention > 0 { format!("({attention}) ") } else { String::new() };
    let page = page.map(|page| format!("{page} · ")).unwrap_or_default();
    format!("{count}{page}Tagwarden")
}

pub fn forget_view(name: &str) -> String {
    ["Delete the view ", name].concat()
}

pub fn view_forgotten(name: &str) -> String {
    ["The view “", name, "” is deleted."].concat()
}

pub fn view_not_forgotten(words: &str) -> String {
    ["The view is not deleted. ", words].concat()
}

pub fn view_kept(name: &str) -> String {
    ["This view is saved as “", name, "”."].concat()
}

pub fn view_not_kept(words: &str) -> String {
    ["The view is not saved. ", words].concat()
}

pub fn promise(length: &str) -> String {
    ["new releases checked within ", length].concat()
}

/// Below what is printed.
pub fn printed(at: &str, zone: &str) -> String {
    ["Printed ", at, ", times in ", zone].concat()
}

pub fn stale_since(clock: &str) -> String {
    ["Stale since ", clock].concat()
}

pub fn lost_since(clock: &str) -> String {
    [
        "Live updates are lost: what is shown may be older than ",
        clock,
        ". It connects again by itself as soon as the server answers.",
    ]
    .concat()
}

/// What went wrong, beside data of a moment ago.
pub fn shown_as_of(message: &str, clock: &str) -> String {
    [message, " Shown as of ", clock, ". "].concat()
}

pub fn copy(what: &str) -> String {
    ["Copy ", what].concat()
}

pub fn unintelligible(detail: &str) -> String {
    ["The answer could not be read (", detail, ")."].concat()
}

pub fn fault_step(request: &str) -> String {
    ["Try again. If it stays, look for request ", request, " in the server's log."].concat()
}
