//! API pages, compared with files.

use crate::support::contract::{Draft, INT32, array, enumeration, field, object};
use crate::support::expect::check_folder;
use kontract::artifact::Artifacts;
use kontract::contract::{Doc, Perms, Ty};
use kontract::cookbook::{Book, BookOptions, Warning};

#[test]
fn a_small_project_has_these_pages() {
    let draft = draft();
    let book = Book::of(&draft.checked(), &draft.sources, &BookOptions::default());
    let made = book.artifacts("docs/api").into_iter();
    check_folder("cookbook", &made.map(|(path, bytes)| (path.replacen("docs/api/", "", 1), bytes)).collect());
    let missing: Vec<&str> = book.warnings.iter().map(warned).collect();
    assert_eq!(missing, ["Index", "sign", "undocumented"]);
}

#[test]
fn sources_are_linked_where_their_address_is_known() {
    let draft = draft();
    let options = BookOptions { source_url: Some("https://code.example/guest(book)/") };
    let book = Book::of(&draft.checked(), &draft.sources, &options);
    let page = book.pages.iter().find(|page| page.endpoint == "sign").expect("the page of sign");
    let link =
        "Source: [`src/api/entries.ts:1`](https://code.example/guest%28book%29/src/api/entries.ts#L1)\n";
    assert!(page.text.ends_with(link), "{}", page.text);
}

#[test]
fn file_names_differ_where_case_does_not_count() {
    let mut draft = Draft::new(&["src/a.ts"]);
    for name in ["sign", "Sign", "index", "con", "LPT1"] {
        draft.endpoint("src/a.ts", name, &[], Ty::Void);
    }
    let book = Book::of(&draft.checked(), &draft.sources, &BookOptions::default());
    let made: Artifacts = book.artifacts("docs/api");
    let names: Vec<&str> = made.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "docs/api/LPT1-endpoint.md",
            "docs/api/Sign.md",
            "docs/api/con-endpoint.md",
            "docs/api/index-2.md",
            "docs/api/index.md",
            "docs/api/sign-2.md",
        ]
    );
}

fn warned(warning: &Warning) -> &str {
    match warning {
        Warning::Undocumented { endpoint, .. } | Warning::UnknownParam { endpoint, .. } => endpoint,
    }
}

fn draft() -> Draft {
    let mut draft = Draft::new(&["src/api/entries.ts", "src/api/admin.ts"]);
    let entry = draft.object(
        "Entry",
        vec![
            field("id", Ty::String).primkey().doc("Given by the server."),
            field("mood?", enumeration(&["calm", "a|b", "`"])).doc("How <it> felt.\nTwo lines, one | bar."),
            field("likes", INT32),
        ],
    );
    entry.doc.text = "A line in the book.".to_owned();
    let params = [("author", Ty::String), ("tags?", array(Ty::String))];
    let sign = draft.endpoint("src/api/entries.ts", "sign", &params, object("Entry"));
    sign.options.perm = Perms::from_bits(6).expect("RW_");
    sign.options.egroup = Some("guestbook".to_owned());
    sign.doc = Doc {
        text: "Signs the **book**\nfor good.\n\nNever write `<script>` or <script>, nor {{ constructor }}.\n\n```ts\nawait sign<T>('{{ kept }}');\n```".to_owned(),
        params: vec![
            ("author".to_owned(), "- Who signs; at most 60 characters.".to_owned()),
            ("gone".to_owned(), "Not a parameter.".to_owned()),
        ],
        returns: Some("The entry as it was stored.".to_owned()),
        throws: vec!["ConflictError when the book is full".to_owned(), "`HttpError` 422\nfor an empty <name>".to_owned()],
        examples: vec!["await sign('Ada');".to_owned(), "Twice:\n\n```ts\nawait sign('Ada');\n```".to_owned()],
    };
    let admin = draft.endpoint("src/api/admin.ts", "undocumented", &[], Ty::Void);
    admin.options.ugroup = Some("admin".to_owned());
    draft.endpoint("src/api/admin.ts", "Index", &[], array(object("Entry"))).options.perm = Perms::NONE;
    draft
}
