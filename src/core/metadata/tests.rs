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
fn an_edit_fails_if_its_result_is_too_large_to_be_read_again() {
    let text = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_LEN - 10));
    assert!(Metadata::parse(text.as_bytes()).is_ok());
    assert!(with_last_accessed(text.as_bytes(), time()).is_err());
}

#[test]
fn an_empty_file_is_called_empty() {
    assert_eq!(Metadata::parse(b"").expect_err("corrupt").to_string(), ".metadata.json is empty");
}
