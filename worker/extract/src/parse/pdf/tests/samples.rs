//! Writes small PDFs.

/// A PDF whose text is in Helvetica of 12 points, named `F`.
#[derive(Debug, Default)]
pub struct Sample {
    /// What each page draws, and what its dictionary says beside.
    pages: Vec<(String, String)>,
    /// Numbered objects beside those of the pages.
    objects: Vec<(usize, String)>,
}

/// Number of the first page's object; each page has one and its content the next.
const FIRST_PAGE: usize = 100;

impl Sample {
    /// Adds a page of US Letter.
    pub fn page(self, content: &str) -> Self {
        self.page_with(content, "")
    }

    /// Adds a page with more entries in its dictionary.
    pub fn page_with(mut self, content: &str, entries: &str) -> Self {
        self.pages.push((content.to_owned(), entries.to_owned()));
        self
    }

    /// Adds an object with a number from 10 to 99.
    pub fn object(mut self, number: usize, object: &str) -> Self {
        self.objects.push((number, object.to_owned()));
        self
    }

    /// Adds a stream with a number from 10 to 99.
    pub fn stream(self, number: usize, entries: &str, content: &str) -> Self {
        self.object(number, &stream(entries, content))
    }

    /// The file.
    pub fn bytes(&self) -> Vec<u8> {
        let numbers = (0..self.pages.len()).map(|page| FIRST_PAGE + 2 * page);
        let kids: String = numbers.clone().map(|number| format!("{number} 0 R ")).collect();
        let mut objects = vec![
            (1, "<</Type/Catalog/Pages 2 0 R>>".to_owned()),
            (2, format!("<</Type/Pages/Kids[{kids}]/Count {}>>", self.pages.len())),
            (3, "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned()),
        ];
        objects.extend(self.objects.iter().cloned());
        for (number, (content, entries)) in numbers.zip(&self.pages) {
            let page = format!(
                "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents {} 0 R/Resources<</Font<</F 3 0 R>>>>{entries}>>",
                number + 1
            );
            objects.push((number, page));
            objects.push((number + 1, stream("", content)));
        }
        written(&objects)
    }
}

fn stream(entries: &str, content: &str) -> String {
    format!("<<{entries}/Length {}>>stream\n{content}\nendstream", content.len())
}

fn written(objects: &[(usize, String)]) -> Vec<u8> {
    let mut bytes = b"%PDF-1.4\n".to_vec();
    let mut table = String::from("xref\n0 1\n0000000000 65535 f \n");
    let mut largest = 0;
    for (number, object) in objects {
        table.push_str(&format!("{number} 1\n{:010} 00000 n \n", bytes.len()));
        bytes.extend_from_slice(format!("{number} 0 obj\n{object}\nendobj\n").as_bytes());
        largest = largest.max(*number);
    }
    let start = bytes.len();
    let end = format!(
        "{table}trailer\n<</Root 1 0 R/Size {}>>\nstartxref\n{start}\n%%EOF",
        largest + 1
    );
    bytes.extend_from_slice(end.as_bytes());
    bytes
}

/// Draws a text whose line begins here.
pub fn at((x, y): (i32, i32), text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
    format!("BT /F 12 Tf {x} {y} Td ({escaped}) Tj ET\n")
}

/// Draws lines below each other.
pub fn lines(texts: &[&str], (x, y): (i32, i32), pitch: i32) -> String {
    let ys = (0..).map(|line| y - pitch * line);
    texts.iter().zip(ys).map(|(text, y)| at((x, y), text)).collect()
}
