use super::*;

fn time() -> Timestamp {
    Timestamp::parse_metadata("2026-11-23T15:51:30.783208Z").expect("a time")
}

const NEW: &str = "2026-11-23T15:51:30.783208+00:00";

fn edited(text: &str) -> String {
    let bytes = with_last_accessed(text.as_bytes(), time()).expect("an edit");
    String::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn an_edit_changes_only_the_bytes_of_the_value() {
    for text in [
        r#"{"last_accessed":"OLD"}"#,
        "{\n  \"n\": 1e999999999,\n  \"last_accessed\" :\t\"OLD\" ,\n  \"z\": \"\\ud800\\u00e9\"\n}",
        r#" {"a":{"last_accessed":"no"},"last_accessed":"OLD","b":[1.10,-0,1E5]} "#,
        r#"{"last\u005faccessed":"OLD"}"#,
        r#"{"\ud800":1,"last_accessed":"OLD"}"#,
    ] {
        let old = "2024-05-23T14:30:00+00:00Z";
        assert_eq!(edited(&text.replace("OLD", old)), text.replace("OLD", NEW));
    }
}

#[test]
fn a_missing_key_is_appended_in_the_style_of_the_file() {
    for (text, expected) in [
        ("{}", r#"{"last_accessed": "NEW"}"#),
        ("{\n}", "{\"last_accessed\": \"NEW\"\n}"),
        (r#"{"a":1}"#, r#"{"a":1,"last_accessed":"NEW"}"#),
        (r#"{"a": 1, "b": 2}"#, r#"{"a": 1, "b": 2, "last_accessed": "NEW"}"#),
        ("{\n  \"a:\": 1\n}", "{\n  \"a:\": 1,\n  \"last_accessed\": \"NEW\"\n}"),
        (
            "{\r\n\t\"a\" : [] ,\r\n\t\"b\" : {} }",
            "{\r\n\t\"a\" : [] ,\r\n\t\"b\" : {},\r\n\t\"last_accessed\" : \"NEW\" }",
        ),
    ] {
        assert_eq!(edited(text), expected.replace("NEW", NEW));
    }
}

#[test]
fn corrupt_metadata_is_neither_read_nor_edited() {
    let deep = "[".repeat(200_000);
    let cases: [&[u8]; 15] = [
        b"",
        b" ",
        b"not json",
        b"[]",
        b"{}{}",
        b"null",
        deep.as_bytes(),
        b"\xef\xbb\xbf{}",
        b"{\"a\":\"\xff\"}",
        b"{\"a\x00\n\":1}",
        br#"{"last_accessed":"2024-05-23T14:30:00Z","last_accessed":"2024-05-23T14:30:00Z"}"#,
        br#"{"last_accessed":5}"#,
        br#"{"last_accessed":null}"#,
        br#"{"last_accessed":"99999-01-01T00:00:00Z"}"#,
        br#"{"last_accessed":[50,48]}"#,
    ];
    for bytes in cases {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]);
        let category = |result: Result<()>| result.err().map(|error| error.category());
        let read = Metadata::parse(bytes).and_then(|metadata| metadata.last_accessed);
        assert_eq!(category(read.map(drop)), Some(Category::CorruptMetadata), "{shown}");
        assert_eq!(category(with_last_accessed(bytes, time()).map(drop)), Some(Category::CorruptMetadata), "{shown}");
    }
}

#[test]
fn a_deep_or_huge_value_elsewhere_does_no_harm() {
    let deep = format!("{{\"a\":{}{},\"last_accessed\":\"{NEW}\"}}", "[".repeat(20_000), "]".repeat(20_000));
    assert_eq!(Metadata::parse(deep.as_bytes()).expect("metadata").last_accessed.expect("a time"), Some(time()));
}

#[test]
fn a_description_with_a_lone_surrogate_is_still_shown() {
    let metadata = Metadata::parse(br#"{"description":"a\ud800b","created_at":7}"#).expect("metadata");
    assert!(metadata.description.is_some_and(|text| text.starts_with('a') && text.ends_with('b')));
    assert_eq!(metadata.created_at, None);
}

#[test]
fn an_edit_fails_if_its_result_is_too_large_to_be_read_again() {
    let text = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_LEN - 10));
    assert!(Metadata::parse(text.as_bytes()).is_ok());
    assert!(with_last_accessed(text.as_bytes(), time()).is_err());
}

#[test]
fn the_error_tells_a_json_array_from_text_that_is_not_json() {
    for (text, reason) in [("[1]", "is not a JSON object"), ("7", "is not a JSON object"), ("{", "is not JSON: ")] {
        let error = Metadata::parse(text.as_bytes()).expect_err(text).to_string();
        assert!(error.contains(reason), "{text}: {error}");
    }
}
