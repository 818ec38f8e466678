use std::collections::BTreeSet;

use super::{Watch, spread};
use crate::instant::Millis;
use crate::name::TagName;
use crate::observation::{Method, Moment};
use crate::record::sighting::{self, Pass};
use crate::record::sweep::Sweep;
use crate::record::{Effects, Write, plan};
use crate::tag::Band;

impl Watch {
    /// A tag moves to a faster band at once and is due at once (RECORD.md 4.3).
    pub(super) fn speed_up(&mut self, name: &TagName, now: Moment) {
        let Some(tag) = self.tags.get_mut(name) else { return };
        let belongs = tag.belongs(now.mark.wall);
        let record = &mut tag.known.record;
        if self.plan.interval(belongs) < self.plan.interval(record.band) {
            record.floor = sighting::last_seen(name, record, &self.passes);
            record.proof_floor = sighting::last_proof(name, record, &self.passes);
            record.band = belongs;
            record.band_since = Some(now.mark);
            *self.used.entry(belongs).or_default() += 1;
            let due = self.singles.due.entry(name.clone()).or_insert((now.mono, Method::Head));
            due.0 = due.0.min(now.mono);
            self.unwritten.insert(name.clone());
        }
    }

    /// What a commit said of a tag.
    pub fn written(&mut self, name: &TagName, last_seq: i64, flagged: bool, now: Moment) {
        if let Some(tag) = self.tags.get_mut(name) {
            let record = &mut tag.known.record;
            record.last_seq = last_seq;
            if let Some(prior) = &mut record.prior
                && prior.seq == 0
            {
                prior.seq = last_seq;
            }
            tag.flagged = flagged;
        }
        self.speed_up(name, now);
    }

    /// Which tags have a flag that is not closed: people open and close them. Those that lost theirs leave their band at the
    /// end of its next pass.
    pub fn set_flagged(&mut self, flagged: &BTreeSet<TagName>, now: Moment) {
        let changed: Vec<TagName> = (self.tags.iter_mut())
            .filter(|(name, tag)| tag.flagged != flagged.contains(*name))
            .map(|(name, tag)| {
                tag.flagged = !tag.flagged;
                name.clone()
            })
            .collect();
        for name in changed {
            self.speed_up(&name, now);
        }
    }

    pub(super) fn finish_sweeps(&mut self, now: Moment, effects: &mut Effects) {
        let over: Vec<u64> =
            self.sweeps.iter_mut().filter_map(|(id, sweep)| sweep.finished(now.mono).then_some(*id)).collect();
        for id in over {
            if let Some(sweep) = self.sweeps.remove(&id) {
                self.finish_sweep(sweep, now, effects);
            }
        }
    }

    fn finish_sweep(&mut self, mut sweep: Sweep, now: Moment, effects: &mut Effects) {
        let (started, cut_at) = (sweep.started(), sweep.cut_at());
        for mut finished in sweep.finish(now.mark.wall, &self.plan, &self.tags) {
            let band = finished.pass.band;
            let interval = self.plan.interval(band) + spread(self.seed ^ now.mono.0, self.plan.interval(band));
            let proof_interval = self.proof_interval(band);
            let Some(due) = self.schedule.get_mut(&band) else { continue };
            due.asked = due.asked.filter(|asked| *asked > started.mono);
            due.swept = Some(started.mono);
            let at_once = due.asked.is_some() || sweep.still_reading();
            // What a slow band missed in an outage is not left for another day.
            let soon = if sweep.broke_off() { interval.min(self.plan.interval(Band::Hot)) } else { interval };
            let wait = if at_once { Millis(0) } else { soon };
            due.next = started.mono.after(wait).max(now.mono);
            finished.next = (started.mark.wall + wait).max(now.mark.wall);
            finished.proof_promised = proof_interval.max(due.promised_before);
            due.promised_before = Millis(0);
            if finished.pass.proof && finished.reason.is_none() {
                due.proven = Some((started.mono, Millis(0)));
            } else if finished.pass.proof {
                // A proof that was cut is tried again sooner, but not at once: where GETs are counted, HEADs must go on, and what
                // was read is spent.
                let wait = Millis(proof_interval.0 / 24).max(plan::earned(finished.seen, self.get_budget));
                due.no_proof_before = now.mono.after(wait);
            }
            if let Some(cut_at) = &cut_at {
                self.resume_at.insert(band, cut_at.clone());
            }
            self.passes.push(finished.pass.clone());
            self.slow_down(&sweep, &finished.pass, now, effects);
            effects.passes.push(finished);
        }
        sighting::prune(&mut self.passes, 64);
        self.count_bands();
    }

    /// Tags that this pass saw move to a band of equal or slower pace only now; their last sighting goes along (4.3).
    fn slow_down(&mut self, sweep: &Sweep, pass: &Pass, now: Moment, effects: &mut Effects) {
        for (name, tag) in &mut self.tags {
            let (belongs, asked) = (tag.belongs(now.mark.wall), tag.asked_in_passes());
            let record = &mut tag.known.record;
            if !asked || record.band != pass.band || belongs == pass.band || !sweep.has_seen(name) {
                continue;
            }
            let (seen, proof) = (Some(pass.started), pass.proof.then_some(pass.started));
            record.floor = sighting::last_seen(name, record, &self.passes).max(seen);
            record.proof_floor = sighting::last_proof(name, record, &self.passes).max(proof);
            record.band = belongs;
            record.band_since = Some(now.mark);
            effects.writes.push(Write::row(name.clone()));
        }
    }
}
