//! What the record means for flags: gathers the facts for the rules of `model::flag` and takes the step that they say.

use std::cmp::Ordering;

use tagwarden_model::flag::{
    BREACHES_WITHIN, Facts, FlagKind, FlagState, FlagStep, Lowering, MOVES_WITHIN, judge, judge_repository,
};
use tagwarden_model::instant::Instant;
use tagwarden_model::promise::{Standing, standing};
use tagwarden_model::tag::{Class, TagState};

use super::flags::{self, Cause, Step, Stored};
use super::promises::Promises;
use super::transaction::Write;
use super::{Actor, StoreError};

impl Write {
    /// What is known of a repository means for its flag.
    pub(super) async fn judge_repository(
        &mut self,
        repository: i64,
        kind: FlagKind,
        standing: Standing,
        event: Option<Cause>,
        at: Instant,
    ) -> Result<(), StoreError> {
        let flag = flags::of_repository(&mut self.conn, repository, kind).await?;
        // The same refusal said again is nothing new; an event always is.
        let already = flag.as_ref().is_some_and(|stored| {
            event.is_none() && standing == Standing::InBreach && stored.flag.state != FlagState::Restored
        });
        if already {
            return Ok(());
        }
        let step = judge_repository(kind, standing, flag.as_ref().map(|stored| &stored.flag));
        let actor = Actor::system();
        let about = Step { repository, tag: None, event, at, actor: &actor, reason: None };
        self.take_step(flag, &step, &about).await?;
        Ok(())
    }

    /// What the state and the promise of a tag mean for its flag now.
    pub(super) async fn judge_tag(
        &mut self,
        flag: Option<Stored>,
        judged: &Judged<'_>,
        about: &Step<'_>,
    ) -> Result<Option<Stored>, StoreError> {
        let (promise, former) = (judged.promises.standing(), judged.promises.former());
        if flag.is_none() && standing(promise, judged.state) == Standing::AsPromised {
            return Ok(None);
        }
        let Some(tag) = about.tag else { return Ok(flag) };
        let moves = flags::moves(&mut self.conn, tag, about.at - MOVES_WITHIN, judged.before_seq).await?;
        let breaches = flags::breaches(&mut self.conn, tag, about.at - BREACHES_WITHIN).await?;
        let facts = Facts {
            class: judged.class,
            promise,
            former,
            state: judged.state,
            pre_release: judged.pre_release,
            lowering: judged.lowering,
            flag: flag.as_ref().map(|stored| &stored.flag),
            at: about.at,
            moved: judged.moved,
            moves: &moves,
            breaches: &breaches,
        };
        let step = judge(&facts);
        if step == FlagStep::None {
            return Ok(flag);
        }
        self.take_step(flag, &step, about).await
    }

    /// Makes a flag as severe as the rule of its tag says now. People are not told again: nothing happened to the tag.
    pub(super) async fn lower_flag(&mut self, stored: &Stored, rule: &str, now: Instant) -> Result<(), StoreError> {
        let severity = stored.flag.severity();
        let words = match severity.cmp(&stored.severity) {
            Ordering::Equal => return Ok(()),
            Ordering::Less => "lowered",
            Ordering::Greater => "raised",
        };
        let reason = format!("{words} to {severity} by {rule}");
        self.change_flag(stored, &stored.flag.lowered(), now, &Actor::system(), Some(&reason)).await
    }
}

/// What a flag is judged by.
pub(super) struct Judged<'a> {
    pub(super) class: Class,
    pub(super) lowering: Lowering,
    pub(super) promises: &'a Promises,
    pub(super) state: &'a TagState,
    pub(super) pre_release: bool,
    pub(super) moved: bool,
    /// Moves of earlier events count.
    pub(super) before_seq: i64,
}
