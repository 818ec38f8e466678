use super::{Watch, spread};
use crate::name::TagName;
use crate::observation::{Method, Moment};
use crate::record::{Effects, FinishedPass, Write, sighting};
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
            self.used.insert(belongs);
            self.singles.due.entry(name.clone()).or_insert((now.mono, Method::Head));
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

    pub(super) fn finish_sweep(&mut self, now: Moment, effects: &mut Effects) {
        let Some(sweep) = &mut self.sweep else { return };
        if !sweep.finished(now.mono) {
            return;
        }
        let Some(sweep) = self.sweep.take() else { return };
        let started = sweep.started();
        self.resume_at = sweep.cut_at();
        for mut finished in sweep.finish(now.mark.wall, &self.plan, &self.tags) {
            let band = finished.pass.band;
            let spread = spread(self.seed ^ now.mono.0, self.plan.interval(band));
            let Some(due) = self.schedule.get_mut(&band) else { continue };
            due.next = started.mono.after(self.plan.interval(band) + spread).max(now.mono);
            finished.next = started.mark.wall + (self.plan.interval(band) + spread);
            if finished.pass.proof {
                due.next_proof = now.mono.after(self.plan.proof_interval(band));
            }
            self.passes.push(finished.pass.clone());
            self.slow_down(band, &finished, now, effects);
            effects.passes.push(finished);
        }
        sighting::prune(&mut self.passes, 64);
        self.count_bands();
    }

    /// Tags that this pass saw move to a band of equal or slower pace only now; their last sighting goes along (4.3).
    fn slow_down(&mut self, band: Band, finished: &FinishedPass, now: Moment, effects: &mut Effects) {
        if !finished.pass.complete {
            return;
        }
        for (name, tag) in &mut self.tags {
            let belongs = tag.belongs(now.mark.wall);
            let record = &mut tag.known.record;
            if record.band != band || belongs == band || finished.pass.exceptions.contains(name) {
                continue;
            }
            record.floor = sighting::last_seen(name, record, &self.passes);
            record.proof_floor = sighting::last_proof(name, record, &self.passes);
            record.band = belongs;
            record.band_since = Some(now.mark);
            effects.writes.push(Write::row(name.clone()));
        }
    }
}
