//! The rules of RECORD.md, sections 1 to 5: each has tests named for it that fail when it is broken.
//!
//! `rule_3_1_…` tests the first numbered sentence of section 3. Rules that another crate keeps are tested there: 1.4 (headers
//! of tag requests) with the registry client, 2.7 (a move and its flag in one commit) with the store.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall stop")]

mod s1_observations;
mod s2_claim_and_proof;
mod s3_absence;
mod s4_windows;
mod s5_baseline;
mod script;
