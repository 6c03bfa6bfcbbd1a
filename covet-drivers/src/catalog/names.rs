//! Names of constraints and indexes: explicit, the same on every run, short enough for every database.

/// The most bytes of a name that every database keeps (PostgreSQL cuts at 63 in silence).
const MOST: usize = 63;

/// `table_column_column_suffix`, shortened with a hash when it is too long.
///
/// ```
/// use covet_drivers::catalog::constraint_name;
/// assert_eq!(constraint_name("posts", &["author_id"], "fkey"), "posts_author_id_fkey");
/// ```
#[must_use]
pub fn constraint_name(table: &str, columns: &[&str], suffix: &str) -> String {
    let mut name = table.to_owned();
    for part in columns.iter().copied().chain([suffix]) {
        name.push('_');
        name.push_str(part);
    }
    shorten(name)
}

/// The name itself when it is short enough, else its beginning and a hash of the whole.
#[must_use]
pub fn shorten(name: String) -> String {
    if name.len() <= MOST {
        return name;
    }
    // FNV-1a: tiny, and stable for ever, which a name in a database must be.
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let mut end = MOST - 9;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}_{:08x}", &name[..end], hash >> 32)
}

/// The triggers by which one column follows another, where a trigger has one event: event and name.
#[must_use]
pub fn followers(table: &str, column: &str) -> [(&'static str, String); 2] {
    let name = |word: &str| constraint_name(table, &[column], word);
    [("INSERT", name("follow_insert")), ("UPDATE", name("follow_update"))]
}

#[cfg(test)]
mod tests {
    use super::{constraint_name, shorten};

    #[test]
    fn long_names_stay_apart_and_whole() {
        let (a, b) = (shorten("é".repeat(40) + "a"), shorten("é".repeat(40) + "b"));
        assert!(a != b && a.len() <= 63 && b.len() <= 63);
        assert_eq!(constraint_name("a", &["b", "c"], "idx"), "a_b_c_idx");
        assert_eq!(shorten("x".repeat(63)), "x".repeat(63));
    }
}
