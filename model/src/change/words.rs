//! What a change is called, and how pushed texts are shown.

use super::{AttestationKind, Change, ChangeLevel, Difference, Field, Layers, PlatformChange, Revision};

/// So many characters of a value are shown.
const VALUE: usize = 120;
/// So many of them stand before the first character that differs.
const BEFORE: usize = 24;
/// A sentence names so many platforms; of more it says how many.
const NAMED: usize = 3;
/// A sentence has so many parts.
const PARTS: usize = 4;

impl Change {
    /// What differs in one sentence without capital and full stop: `entrypoint and 3 of 11 layers differ on both platforms`.
    pub fn sentence(&self) -> String {
        if let Some(problem) = &self.problem {
            let kind = self.kind().map(|kind| format!("{kind}; ")).unwrap_or_default();
            return format!("{kind}what changed cannot be told: {problem}");
        }
        let mut parts: Vec<String> = self.kind().into_iter().collect();
        if !parts.is_empty() {
            parts.extend(self.same());
        }
        parts.extend(self.compared());
        parts.extend(self.one_sided());
        let lost = self.lost();
        match self.level {
            ChangeLevel::Same => parts.push("nothing differs".to_owned()),
            ChangeLevel::Index => parts.push("only the index differs, every platform is the same".to_owned()),
            _ if parts.is_empty() => {
                let lost = if lost.is_empty() { String::new() } else { format!(": {}", enumerated(&lost)) };
                parts.push(format!("only attestations differ{lost}"));
            }
            _ if !lost.is_empty() => parts.push(enumerated(&lost)),
            _ => {}
        }
        let mut more = self.more_platforms;
        if parts.len() > PARTS {
            parts.truncate(PARTS);
            parts.push("and more".to_owned());
            more = 0;
        }
        if more > 0 {
            parts.push(format!("{more} more {} not listed", if more == 1 { "platform is" } else { "platforms are" }));
        }
        parts.join("; ")
    }

    /// An image became an index, or the reverse.
    fn kind(&self) -> Option<String> {
        self.whole.iter().find_map(Difference::became)
    }

    /// What is the same although the kind is another.
    fn same(&self) -> Option<String> {
        let same: Vec<_> = self.platforms.iter().filter(|platform| platform.level == ChangeLevel::Same).collect();
        let verb = if same.len() == 1 { "is" } else { "are" };
        (!same.is_empty()).then(|| format!("{} {verb} the same", names(&same)))
    }

    /// One part for all platforms of which the same is to be said, the worst first.
    fn compared(&self) -> Vec<String> {
        let mut groups: Vec<(ChangeLevel, Said, Vec<&PlatformChange>)> = Vec::new();
        for platform in &self.platforms {
            let Some(said) = platform.said() else { continue };
            match groups.iter_mut().find(|(_, other, _)| *other == said) {
                Some((.., platforms)) => platforms.push(platform),
                None => groups.push((platform.level, said, vec![platform])),
            }
        }
        groups.sort_by_key(|(level, ..)| std::cmp::Reverse(*level));
        groups.into_iter().map(|(_, said, platforms)| said.of(&self.on(&platforms))).collect()
    }

    /// What was removed and what was added.
    fn one_sided(&self) -> Vec<String> {
        let of = |wanted: ChangeLevel, removed: bool| -> Vec<&PlatformChange> {
            let sided =
                |platform: &&PlatformChange| if removed { platform.new.is_none() } else { platform.old.is_none() };
            self.platforms.iter().filter(|platform| platform.level == wanted).filter(sided).collect()
        };
        let was = |platforms: &[&PlatformChange], what: &str| {
            let verb = if platforms.len() == 1 { "was" } else { "were" };
            (!platforms.is_empty()).then(|| format!("{} {verb} {what}", names(platforms)))
        };
        let beside = of(ChangeLevel::Selection, false);
        let instead = if beside.len() == 1 { "it" } else { "them" };
        [
            was(&of(ChangeLevel::PlatformRemoved, true), "removed"),
            was(&beside, &format!("added, and some machines may now choose {instead}")),
            was(&of(ChangeLevel::PlatformAdded, false), "added"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// What is lost of attestations.
    fn lost(&self) -> Vec<String> {
        let Some(attestations) = &self.attestations else { return Vec::new() };
        let mut parts: Vec<String> = AttestationKind::ALL
            .iter()
            .filter(|kind| attestations.lost.iter().any(|lost| lost.kind == **kind))
            .map(|kind| {
                let of = |platform: &&PlatformChange| {
                    attestations.lost.iter().any(|lost| lost.kind == *kind && lost.platform == platform.platform)
                };
                let platforms: Vec<_> = self.platforms.iter().filter(of).collect();
                let scope = if platforms.is_empty() { String::new() } else { self.on(&platforms) };
                format!("{} lost{scope}", kind.noun())
            })
            .collect();
        if attestations.unread {
            parts.push("an attestation could not be read".to_owned());
        }
        parts
    }

    /// Where something is so: nothing is said where there is but one platform.
    fn on(&self, platforms: &[&PlatformChange]) -> String {
        let (some, all) = (platforms.len(), self.platforms.len());
        let what = if self.more_platforms == 0 { "platforms" } else { "listed platforms" };
        if all == 1 {
            String::new()
        } else if platforms.iter().all(|platform| platform.platform.is_none()) {
            format!(" in {}", names(platforms))
        } else if some == all {
            if all == 2 { " on both platforms".to_owned() } else { format!(" on all {all} {what}") }
        } else if some > NAMED {
            format!(" on {some} of {all} {what}")
        } else {
            format!(" on {}", names(platforms))
        }
    }
}

impl PlatformChange {
    /// What a page or a mail says of this platform alone: `linux/amd64: entrypoint differs`.
    pub fn line(&self) -> String {
        let name = names(&[self]);
        match (self.said(), &self.old, &self.new) {
            (Some(said), ..) if self.platform.is_none() => said.of(""),
            (Some(said), ..) => format!("{name}: {}", said.of("")),
            (None, Some(_), None) => format!("{name} was removed"),
            (None, None, Some(_)) if self.level == ChangeLevel::Selection => {
                format!("{name} was added, and some machines may now choose it")
            }
            (None, None, Some(_)) => format!("{name} was added"),
            (None, ..) => format!("{name} is the same"),
        }
    }

    /// What there is to say of a platform that was compared, or should have been.
    fn said(&self) -> Option<Said> {
        if let Some(problem) = &self.problem {
            return Some(Said::Problem(problem.clone()));
        }
        if self.old.is_none() || self.new.is_none() || self.level == ChangeLevel::Same {
            return None;
        }
        if let Some(became) = self.differences.iter().find_map(Difference::became) {
            return Some(Said::Differ(became));
        }
        let mut fields: Vec<Field> =
            self.differences.iter().map(|row| row.field).filter(|field| field.level() == self.level).collect();
        fields.dedup();
        if fields == [Field::Compression] {
            return Some(Said::Recompressed);
        }
        let nouns = fields.into_iter().map(|field| match (field, self.layers) {
            (Field::Layers, Some(layers)) => layers.noun(),
            _ => (field.noun().to_owned(), field.is_plural()),
        });
        let (nouns, plural): (Vec<String>, Vec<bool>) = nouns.unzip();
        let verb = if plural == [false] { "differs" } else { "differ" };
        Some(Said::Differ(format!("{} {verb}", enumerated(&nouns))))
    }
}

/// What is said of a platform; platforms of which the same is said share one part of the sentence.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Differ(String),
    Recompressed,
    Problem(String),
}

impl Said {
    fn of(&self, scope: &str) -> String {
        match self {
            Self::Differ(words) => format!("{words}{scope}"),
            Self::Recompressed => format!("same layers, compressed anew{scope}"),
            Self::Problem(problem) => format!("what changed{scope} cannot be told: {problem}"),
        }
    }
}

impl Layers {
    /// `3 of 11 layers`, and whether they differ or it differs.
    fn noun(self) -> (String, bool) {
        let all = self.old.max(self.new);
        match all.saturating_sub(self.kept) {
            0 => ("order of the layers".to_owned(), false),
            1 if all == 1 => ("the only layer".to_owned(), false),
            some if some == all => (format!("all {all} layers"), true),
            some => (format!("{some} of {all} layers"), some > 1),
        }
    }
}

/// A commit as people name it; the table has it whole.
fn short(revision: &str) -> &str {
    let is_hash = matches!(revision.len(), 40 | 64) && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash { revision.get(..12).unwrap_or(revision) } else { revision }
}

impl Revision {
    /// What the claim explains: `claims the same source revision: a label, not proof`.
    pub fn sentence(&self) -> String {
        let (old, new) = (self.old.as_deref().map(short), self.new.as_deref().map(short));
        match (old, new) {
            _ if self.same => "claims the same source revision: a label, not proof".to_owned(),
            (Some(old), Some(new)) => format!("claims source revision {new}, before {old}: a label, not proof"),
            (None, Some(new)) => format!("claims source revision {new}, and claimed none before: a label, not proof"),
            (Some(old), None) => format!("no longer claims source revision {old}"),
            (None, None) => "claims no source revision".to_owned(),
        }
    }
}

impl Field {
    /// What people call it.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Platform => "platform",
            Self::ArtifactType => "artifact type",
            Self::Entrypoint => "entrypoint",
            Self::Command => "command",
            Self::Environment => "environment",
            Self::User => "user",
            Self::WorkingDirectory => "working directory",
            Self::Ports => "ports",
            Self::Volumes => "volumes",
            Self::Settings => "settings",
            Self::Config => "config",
            Self::Layers => "layers",
            Self::Listing => "listed platform",
            Self::Compression => "compression of the layers",
            Self::Labels => "labels",
            Self::Created => "creation time",
            Self::History => "history",
            Self::Build => "traces of the build",
            Self::Annotations => "annotations",
            Self::MediaType => "media type",
            Self::Subject => "subject",
            Self::Bytes => "only how it is written",
        }
    }

    const fn is_plural(self) -> bool {
        matches!(
            self,
            Self::Ports
                | Self::Volumes
                | Self::Settings
                | Self::Layers
                | Self::Labels
                | Self::Build
                | Self::Annotations
        )
    }
}

impl AttestationKind {
    /// What people call it.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Provenance => "provenance",
            Self::Sbom => "bill of materials",
        }
    }
}

impl Difference {
    /// `LOG added`, `entrypoint changed`.
    pub fn line(&self) -> String {
        format!("{} {}", self.name.as_deref().unwrap_or(self.field.noun()), self.how)
    }

    /// `an image became an index`.
    fn became(&self) -> Option<String> {
        let with_article = |word: &str| format!("{} {word}", if word.starts_with(['a', 'i']) { "an" } else { "a" });
        let kinds = self.old.as_deref().zip(self.new.as_deref()).filter(|_| self.field == Field::Kind);
        kinds.map(|(old, new)| format!("{} became {}", with_article(old), with_article(new)))
    }
}

/// `linux/amd64, linux/arm64 and 5 more`.
fn names(platforms: &[&PlatformChange]) -> String {
    let mut names: Vec<String> = platforms.iter().filter_map(|platform| platform.platform.clone()).collect();
    let nameless = platforms.len() - names.len();
    if names.len() > NAMED + 1 {
        let more = names.split_off(NAMED).len();
        names.push(format!("{more} more"));
    }
    match nameless {
        0 => {}
        1 => names.push("an entry without a platform".to_owned()),
        some => names.push(format!("{some} entries without a platform")),
    }
    enumerated(&names)
}

/// `a, b and c`.
fn enumerated(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A pushed text in at most `most` characters, with those made visible that would hide, or turn the direction of what
/// follows, or begin a line.
pub fn visible(text: &str, most: usize) -> String {
    let mut out: String =
        text.chars().take(most).map(|c| if is_trick(c) { char::REPLACEMENT_CHARACTER } else { c }).collect();
    if text.chars().nth(most).is_some() {
        out.pop();
        out.push('…');
    }
    out
}

/// Whether a character hides, turns the direction of what follows, or controls something.
pub fn is_trick(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{feff}')
        || matches!(c, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}') // fillers: letters that are not seen
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Two values cut so that what differs between them is seen; an empty one is none.
pub(super) fn excerpts(old: &str, new: &str) -> (Option<String>, Option<String>) {
    let same = old.bytes().zip(new.bytes()).take_while(|(old, new)| old == new).count();
    let is_long = |text: &str| text.chars().nth(VALUE).is_some();
    let skipped = if is_long(old) || is_long(new) { same.saturating_sub(BEFORE) } else { 0 };
    let cut = |text: &str| {
        // What is the same before it begins with a whole character in both.
        let shown = text.get(text.floor_char_boundary(skipped)..).unwrap_or(text);
        let mark = if shown.len() < text.len() { "…" } else { "" };
        (!text.is_empty()).then(|| visible(&format!("{mark}{}", visible(shown, VALUE)), VALUE))
    };
    (cut(old), cut(new))
}
