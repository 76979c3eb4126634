//! Keywords.

/// True for a keyword behind which a dot is not part of a name.
pub(super) fn is_keyword(word: &str) -> bool {
    let letters = || word.bytes().map(|byte| byte.to_ascii_uppercase());
    KEYWORDS.binary_search_by(|keyword| keyword.bytes().cmp(letters())).is_ok()
}

/// True for a keyword that is a value.
pub(super) fn is_value(word: &str) -> bool {
    ["TRUE", "FALSE", "NULL"].iter().any(|value| value.eq_ignore_ascii_case(word))
}

/// In order.
#[rustfmt::skip]
const KEYWORDS: [&str; 102] = [
    "ADD", "ALL", "ALTER", "ANALYZE", "AND", "ANY", "AS", "ASC", "ASSERTION", "BEGIN", "BETWEEN", "BY", "CASE", "CHECK", "CLONE",
    "CLUSTER", "COLUMN", "COMMIT", "CONSTRAINT", "COPY", "CREATE", "CUBE", "DATABASE", "DECLARE", "DEFAULT", "DELETE", "DESC",
    "DISTINCT", "DOMAIN", "DROP", "ELSE", "END", "ESCAPE", "EXEC", "EXECUTE", "EXISTS", "EXPLAIN", "FOREIGN", "FROM", "GRANT",
    "GROUP", "HAVING", "IF", "ILIKE", "IN", "INDEX", "INNER", "INSERT", "INTO", "IS", "JOIN", "KEY", "LATERAL", "LEFT", "LIKE",
    "LIMIT", "LITERAL", "MERGE", "NOT", "OF", "OFFSET", "ON", "ONLY", "OR", "ORDER", "OUT", "OUTER", "PLPGSQL", "PRIMARY", "PROC",
    "PROCEDURE", "RECURSIVE", "REPLACE", "RETURNING", "RETURNS", "REVOKE", "RIGHT", "ROLLBACK", "ROLLUP", "ROWNUM", "SELECT",
    "SET", "SKIP", "SOME", "STRAIGHT_JOIN", "TABLE", "TEMPORARY", "TOP", "TRIGGER", "TRUNCATE", "UNION", "UNIQUE", "UNLOGGED",
    "UPDATE", "USE", "USING", "VACUUM", "VALUES", "VIEW", "WHERE", "WINDOW", "WITH",
];
