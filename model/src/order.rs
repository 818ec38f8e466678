//! Sorting whose code depends on the key alone: the page sorts many types by few, and would hold it for each of them.

/// Sorts by a key: `[i64; 2]` or `(bool, String)`. What has the same key keeps its order.
pub fn sort_by_key<T, K: Ord>(items: &mut Vec<T>, key: impl Fn(&T) -> K) {
    let order = order(items.iter().map(key).zip(0..).collect());
    let mut places: Vec<Option<T>> = items.drain(..).map(Some).collect();
    items.extend(order.into_iter().filter_map(|(_, at)| places.get_mut(at)?.take()));
}

#[inline(never)]
fn order<K: Ord>(mut keys: Vec<(K, usize)>) -> Vec<(K, usize)> {
    keys.sort_unstable();
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_the_same_key_keeps_its_order() {
        let mut words = vec!["pear", "fig", "apple", "kiwi", "date", "nut"];
        sort_by_key(&mut words, |word| [0, word.len() as i64]);
        assert_eq!(words, ["fig", "nut", "pear", "kiwi", "date", "apple"]);
        sort_by_key(&mut words, |word| (word.len() == 4, (*word).to_owned()));
        assert_eq!(words, ["apple", "fig", "nut", "date", "kiwi", "pear"]);
    }
}
