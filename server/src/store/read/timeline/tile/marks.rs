//! The marks of a tile: read as one text a lane, and put in place with what they name.

use std::collections::BTreeMap;

use tagwarden_model::api::{LaneKind, TILE_BRIEF, TileLane};

use super::names::Names;
use super::{LaneAsked, MARKS, Places, TileAt, unlike};
use crate::store::StoreError;
use crate::store::db::{Conn, Value, values};
use crate::store::lanes::LEVELS;

/// In the place of a digest: it is not told.
const BRIEF: i64 = -1;

/// First and last instant, lower bound, events, how many are baseline, number, kind, tag and digest (0: none), as [`MARKS`]
/// writes them.
type Mark = [i64; 9];

/// Rising, one for each bucket of `level`, which is not finer than what they are read from.
fn marks_of(text: &str, level: i64) -> Result<Vec<Mark>, StoreError> {
    let numbers = numbers(text).ok_or_else(|| unlike("mark"))?;
    let (marks, rest) = numbers.as_chunks();
    if !rest.is_empty() {
        return Err(unlike("mark"));
    }
    let mut marks: Vec<Mark> = marks.to_vec();
    marks.sort_unstable_by_key(|[_, last, ..]| *last);
    // What is told of a bucket is told of its last event.
    marks.dedup_by(|later, kept| {
        let [first, _, _, n, baseline, ..] = *kept;
        let is_same = first >> level == later[0] >> level;
        if is_same {
            *kept = *later;
            (kept[0], kept[3], kept[4]) = (first, kept[3] + n, kept[4] + baseline);
        }
        is_same
    });
    Ok(marks)
}

/// Whole numbers between single blanks, of which a tile may have a hundred thousand; `None` if the text is anything else.
fn numbers(text: &str) -> Option<Vec<i64>> {
    let mut numbers = Vec::with_capacity(text.len() / 6);
    for word in text.as_bytes().split(|byte| *byte == b' ') {
        let (is_negative, digits) = match word {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        let mut number = (!digits.is_empty()).then_some(0_i64)?;
        for digit in digits {
            let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
            number = number.checked_mul(10)?.checked_add(digit.into())?;
        }
        numbers.push(if is_negative { -number } else { number });
    }
    Some(numbers)
}

/// The marks of a lane.
pub(super) struct Marked {
    place: usize,
    repository: i64,
    marks: Vec<Mark>,
}

/// From the rollups of the level that is next below the tile's.
pub(super) async fn read(
    conn: &mut Conn,
    at: TileAt,
    asked: &[Value],
    places: &Places,
) -> Result<Vec<Marked>, StoreError> {
    let level = i64::from(at.level);
    let Some(kept) = LEVELS.into_iter().rfind(|kept| *kept <= level) else { return Ok(Vec::new()) };
    let (begins, ends) = at.buckets(kept);
    let rows = conn.all(MARKS, &[asked, values![kept, begins, ends]].concat()).await?;
    let mut lanes = Vec::new();
    for row in rows {
        let Some(LaneAsked { place, repository, kind, .. }) = places.lane(&row)? else { continue };
        let mut marks = marks_of(&row.text("marks")?, level)?;
        if kind == LaneKind::Tag {
            leave_out_brief(&mut marks, level);
        }
        lanes.push(Marked { place, repository, marks });
    }
    Ok(lanes)
}

/// Takes up what they name.
pub(super) async fn name(conn: &mut Conn, lanes: &[Marked], names: &mut Names) -> Result<(), StoreError> {
    let marks = lanes.iter().flat_map(|lane| &lane.marks);
    names.read_tags(conn, marks.map(|[.., tag, _]| *tag).collect()).await?;
    let mut digests = BTreeMap::<i64, Vec<i64>>::new();
    for Marked { repository, marks, .. } in lanes {
        digests.entry(*repository).or_default().extend(marks.iter().map(|[.., digest]| *digest));
    }
    for (repository, digests) in digests {
        names.read_digests(conn, repository, digests).await?;
    }
    Ok(())
}

/// Puts them into the tile, after what they name was taken up.
pub(super) fn put(marked: Vec<Marked>, names: &Names, lanes: &mut [TileLane]) {
    for Marked { place, repository, marks } in marked {
        let Some(lane) = lanes.get_mut(place) else { continue };
        for [first, last, not_before, n, baseline, seq, kind, tag, digest] in marks {
            // A purge between two statements may have taken the tag.
            let Some(tag) = names.places_of_tags.get(&tag) else { continue };
            lane.tag.push(*tag as i32);
            lane.first_ms.push(first);
            lane.at_ms.push(last);
            lane.not_before_ms.push(not_before);
            lane.count.push(u32::try_from(n).unwrap_or(u32::MAX));
            lane.seq.push(seq);
            lane.kind.push(kind as u8);
            lane.baseline.push(u32::try_from(baseline).unwrap_or(u32::MAX));
            let place = names.places_of_digests.get(&(repository, digest));
            lane.digest.push(match place {
                Some(place) => *place as i32,
                None if digest == BRIEF => TILE_BRIEF,
                None => -1,
            });
        }
    }
}

/// Leaves out digests that nobody could see: each was named for less than a bucket, and so was what came before it. Far out these
/// are nearly all, and looking them up would take longer than all else.
fn leave_out_brief(marks: &mut [Mark], level: i64) {
    let bucket = 1 << level;
    let mut since = i64::MIN;
    for at in 1..marks.len() {
        if let Some([[first, last, _, n, .., digest], [next, ..]]) = marks.get_mut(at - 1..=at) {
            if *digest > 0 && *next - *last < bucket && (*n > 1 || first.saturating_sub(since) < bucket) {
                *digest = BRIEF;
            }
            since = *last;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_and_nothing_else() {
        assert_eq!(numbers("0 -1 1790000000000 7"), Some(vec![0, -1, 1_790_000_000_000, 7]));
        assert_eq!(numbers("9223372036854775807"), Some(vec![i64::MAX]));
        for text in ["", " 1", "1  2", "1-2", "+1", "1.5", "-", "a", "9223372036854775808", "1\n2"] {
            assert_eq!(numbers(text), None, "{text:?}");
        }
    }
}
