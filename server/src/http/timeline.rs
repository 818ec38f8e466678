//! What the timeline draws: lanes, and their marks in tiles.

use std::ops::RangeInclusive;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use tagwarden_model::api::{ErrorBody, LaneKind, TILE_LANES, TILE_LEVELS, Tile, Timeline, TimelineHead};
use tagwarden_model::tag::Class;
use tagwarden_model::version::track_range;
use utoipa::{IntoParams, ToSchema};

use super::AppState;
use super::access::Caller;
use super::cursor::{List, Opt};
use super::error::ApiError;
use super::parameters::{self, OfRepository, Query, Repository};
use crate::store::read::timeline::tile::TileAt;
use crate::store::read::timeline::{LaneFilter, LanesOf, Versions};

/// How releases are gathered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum By {
    /// By track, unless a repository has more than 20, or there were more than 40 lanes.
    #[default]
    Auto,
    /// Every track has a lane.
    Track,
    /// Every family has a lane.
    Family,
}

/// Tags that have lanes.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Drawn {
    /// Write-once.
    Release,
    /// Refreshed on purpose.
    Rebuilt,
    /// Meant to move.
    Rolling,
}

/// Whether a tag is there.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Stands {
    /// All lanes but those of tags that are gone.
    Present,
    /// The lanes of tags that are gone.
    Gone,
}

/// How many lanes a page has at most: 1 to 40.
#[derive(Debug, Clone, Copy)]
struct Limit(u32);

impl Limit {
    const RANGE: RangeInclusive<u32> = 1..=TILE_LANES as u32;
}

impl Default for Limit {
    fn default() -> Self {
        Self(*Self::RANGE.end())
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let limit = u32::deserialize(deserializer)?;
        if Self::RANGE.contains(&limit) { Ok(Self(limit)) } else { Err(D::Error::custom("a page has 1 to 40 lanes")) }
    }
}

/// Which lanes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Of this repository, as docker would name it.
    #[param(inline)]
    repository: Option<Repository>,
    /// Of the repositories of this group; not together with `repository`.
    #[param(max_length = 64)]
    group: Option<String>,
    /// How releases are gathered: by track, by family, or (`auto`) by track in repositories with at most 20 of them, unless that
    /// were more than 40 lanes in all. With `family` or `versions` the lanes are tracks.
    #[serde(default)]
    #[param(inline)]
    by: By,
    /// Only the tracks of this family; needs `repository`.
    #[param(max_length = 128)]
    family: Option<String>,
    /// Only of tags of this class.
    #[param(inline)]
    class: Option<Drawn>,
    /// Only with a flag that is not closed.
    #[serde(default)]
    #[param(default = false)]
    flagged: bool,
    /// Only of tags that are there, or of those that are gone. Lanes of releases are no single tag's.
    #[param(inline)]
    state: Option<Stands>,
    /// Only whose name, as it is stored or as it is shown (`2.3.x-alpine`), or whose repository's name, contains this, in upper or
    /// lower case; and the lanes that a release of this name or of these numbers is on.
    #[param(max_length = 300)]
    q: Option<String>,
    /// Only tracks from one to another, `2.1..2.4`; either end may be missing. `2.3` is one track, `2` all of its tracks.
    #[param(max_length = 128)]
    versions: Option<String>,
    /// Lanes that are there on any page and whatever is filtered, by their ids with commas between them, at most 39. What is none
    /// is left out.
    #[param(max_length = 800)]
    pinned: Option<String>,
    /// Lanes of a page.
    #[serde(default)]
    #[param(value_type = u32, minimum = 1, maximum = 40, default = 40)]
    limit: Limit,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Which tile.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Where {
    /// How long a bucket is: 2^level milliseconds.
    #[param(minimum = 4, maximum = 40)]
    level: u8,
    /// The tile begins `number x 256 x 2^level` milliseconds after the Unix epoch.
    number: i64,
    /// The lanes by their ids, at most 40, with commas between them.
    #[param(max_length = 800, pattern = "^[0-9]{1,19}(,[0-9]{1,19}){0,39}$")]
    lanes: String,
}

/// The lanes of a repository, of a group, or of all that is watched: by repository, the releases first.
#[utoipa::path(get, path = "/api/v1/timeline/lanes", tag = "record", params(Which),
    responses((status = 200, body = TimelineHead), (status = 404, body = ErrorBody, description = "The repository was never watched.")))]
pub(super) async fn lanes(
    State(state): State<AppState>,
    caller: Caller,
    Query(which): Query<Which>,
) -> Result<Json<TimelineHead>, ApiError> {
    let Which { repository, group, by, family, class, flagged, state: stands, q, versions, pinned, limit, cursor } =
        which;
    let repository = repository.map(|Repository(name)| name);
    parameters::one_of(repository.as_ref(), group.as_deref())?;
    parameters::at_most("family", family.as_deref(), 128)?;
    parameters::at_most("q", q.as_deref(), 300)?;
    parameters::at_most("pinned", pinned.as_deref(), 800)?;
    if family.is_some() && repository.is_none() {
        return Err(ApiError::invalid("repository", "a family is one of a repository: name it, too"));
    }
    let class = class.map(|class| match class {
        Drawn::Release => Class::Release,
        Drawn::Rebuilt => Class::Rebuilt,
        Drawn::Rolling => Class::Rolling,
    });
    let list = List::new(
        "lanes",
        &[
            &Opt(&repository),
            &Opt(&group),
            &format_args!("{by:?}"),
            &Opt(&family),
            &Opt(&class),
            &flagged,
            &format_args!("{stands:?}"),
            &Opt(&q),
            &Opt(&versions),
        ],
    );
    let after = list.position(cursor.as_deref())?;
    let filter = LaneFilter {
        of: match (repository, group) {
            (Some(name), _) => LanesOf::Repository(name),
            (None, Some(group)) => LanesOf::Group(group),
            (None, None) => LanesOf::All,
        },
        by: match by {
            By::Auto => None,
            By::Track => Some(LaneKind::Track),
            By::Family => Some(LaneKind::Family),
        },
        family,
        class,
        flagged,
        present: stands.map(|stands| matches!(stands, Stands::Present)),
        contains: q,
        versions: versions.as_deref().map(range).transpose()?,
        pinned: pinned.iter().flat_map(|ids| ids.split(',')).filter_map(|id| id.parse().ok()).collect(),
    };
    let found = state.store.lanes(caller.scope, &filter, after.as_ref(), limit.0).await?;
    let (head, next) = found.ok_or_else(|| ApiError::not_watched("repository"))?;
    Ok(Json(TimelineHead { next: next.map(|position| list.cursor(position)), ..head }))
}

/// `2.1..2.4`, `2.1..`, `..2.4`, `2.3` or `2`.
fn range(text: &str) -> Result<Versions, ApiError> {
    let wrong = || ApiError::invalid("versions", "name tracks by their numbers: 2.1..2.4, 2.1.., ..2.4, 2.3 or 2");
    let end = |text: &str| match text {
        "" => Ok(None),
        text => track_range(text).filter(|_| text.len() <= 64).map(Some).ok_or_else(wrong),
    };
    let (from, to) = text.split_once("..").unwrap_or((text, text));
    let range = Versions { from: end(from)?.map(|[least, _]| least), to: end(to)?.map(|[_, greatest]| greatest) };
    if range == Versions::default() { Err(wrong()) } else { Ok(range) }
}

/// The marks of lanes in one stretch of time.
#[utoipa::path(get, path = "/api/v1/timeline/tile", tag = "record", params(Where), responses((status = 200, body = Tile)))]
pub(super) async fn tile(
    State(state): State<AppState>,
    caller: Caller,
    Query(Where { level, number, lanes }): Query<Where>,
) -> Result<Json<Tile>, ApiError> {
    if !TILE_LEVELS.contains(&level) {
        return Err(ApiError::invalid("level", "a level from 4 to 40"));
    }
    let at = TileAt::new(level, number).ok_or_else(|| ApiError::invalid("number", "time does not go that far"))?;
    let lanes = lanes.split(',').map(lane).collect::<Result<Vec<_>, _>>()?;
    if lanes.len() > TILE_LANES {
        return Err(ApiError::invalid("lanes", "at most 40 lanes: ask for the others apart"));
    }
    if let Some(twice) = (1..lanes.len()).find(|at| lanes[..*at].contains(&lanes[*at])) {
        return Err(ApiError::invalid("lanes", format!("name each lane once; {} is there twice", lanes[twice])));
    }
    Ok(Json(state.store.tile(caller.scope, at, &lanes).await?))
}

fn lane(text: &str) -> Result<i64, ApiError> {
    let id = text.parse().ok().filter(|id: &i64| *id > 0 && id.to_string() == text);
    id.ok_or_else(|| ApiError::invalid("lanes", "ids as the lanes have them, with commas between them"))
}

/// What the timeline of one repository draws.
#[utoipa::path(get, path = "/api/v1/timeline", tag = "record", params(OfRepository),
    responses((status = 200, body = Timeline), (status = 404, body = ErrorBody, description = "The repository was never watched.")))]
pub(super) async fn timeline(
    State(state): State<AppState>,
    caller: Caller,
    Query(of): Query<OfRepository>,
) -> Result<Json<Timeline>, ApiError> {
    let Repository(repository) = of.repository;
    let timeline = state.store.timeline(caller.scope, &repository).await?;
    Ok(Json(timeline.ok_or_else(|| ApiError::not_watched("repository"))?))
}
