//! The conditions of grants.

use std::collections::BTreeSet;

use cyprob_core::adapters::document::Node;
use cyprob_core::domain::{Aal, Tag};

use super::fields::Reader;
use crate::domain::Cidr;
use crate::domain::policy::{Condition, Hours, Window};

impl Reader {
    pub(super) fn condition(&mut self, node: &Node) -> Condition {
        let Some(fields) = self.map(
            node,
            "a condition",
            &["aal", "addresses", "hours", "own", "tags"],
        ) else {
            return Condition::default();
        };
        if fields.is_empty() {
            self.say(node.at, "name a condition, or leave `when` out");
        }
        let aal = fields.get("aal").and_then(|node| self.aal(node));
        let addresses = fields.get("addresses").map(|node| self.addresses(node));
        let hours = fields.get("hours").and_then(|node| self.hours(node));
        let own = fields.get("own").is_some_and(|node| self.own(node));
        let tags = fields.get("tags").map(|node| self.tags(node));
        Condition {
            aal,
            addresses: addresses.unwrap_or_default(),
            hours,
            own,
            tags: tags.unwrap_or_default(),
        }
    }

    fn aal(&mut self, node: &Node) -> Option<Aal> {
        let aal = match node.text() {
            Some("1") => Some(Aal::One),
            Some("2") => Some(Aal::Two),
            _ => None,
        };
        if aal.is_none() {
            self.say(
                node.at,
                "write 1 for a person's sign-in, 2 for one with two factors",
            );
        }
        aal
    }

    fn addresses(&mut self, node: &Node) -> Vec<Cidr> {
        let ranges = self.items(node, "addresses");
        if ranges.len() > Condition::MOST_RANGES {
            let most = Condition::MOST_RANGES;
            self.say(node.at, format!("a condition has at most {most} ranges"));
        }
        let wanted = "an address range in canonical spelling, such as 10.0.0.0/8";
        let read = |range| self.parsed(range, wanted);
        ranges.iter().filter_map(read).collect()
    }

    fn hours(&mut self, node: &Node) -> Option<Hours> {
        let wanted = "days and times in UTC, such as mon-fri 08:00-18:00";
        let items = self.items(node, "hours");
        let read = |window| self.parsed::<Window>(window, wanted);
        let windows: Vec<Window> = items.iter().filter_map(read).collect();
        if windows.is_empty() || windows.len() < items.len() {
            // Told already.
            return None;
        }
        match Hours::new(windows) {
            Ok(hours) => Some(hours),
            Err(error) => {
                self.say(node.at, error.to_string());
                None
            }
        }
    }

    /// Whether the object must be the caller's own: there is no way to ask for another's.
    fn own(&mut self, node: &Node) -> bool {
        let own = node.text() == Some("true");
        if !own {
            let remedy = "write `own: true`, or leave `own` out for the objects of everybody";
            self.say(node.at, remedy);
        }
        own
    }

    fn tags(&mut self, node: &Node) -> BTreeSet<Tag> {
        let items = self.items(node, "tags");
        if items.len() > Condition::MOST_TAGS {
            let most = Condition::MOST_TAGS;
            self.say(node.at, format!("a condition has at most {most} tags"));
        }
        let wanted = "a tag: 1 to 64 of a-z, 0-9 and . _ : / -, a letter or digit first";
        let mut tags = BTreeSet::new();
        for item in items {
            if let Some(tag) = self.parsed::<Tag>(item, wanted)
                && let Some(twice) = tags.replace(tag)
            {
                self.say(item.at, format!("the tag {twice} is here a second time"));
            }
        }
        tags
    }
}
