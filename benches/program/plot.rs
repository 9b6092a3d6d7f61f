//! The plot: time against number of workspaces on two logarithmic scales, in SVG. There, cost in proportion to the work is a
//! straight line of slope 1, and a ratio is a distance.

use crate::contest::Quartiles;
use crate::measures::grouped;
use std::fmt::Write;

/// How the times of one program grow.
pub(crate) struct Series {
    pub(crate) name: String,
    /// How many workspaces, and how many seconds they took.
    pub(crate) points: Vec<(u64, Quartiles)>,
}

/// Programs that do the same.
pub(crate) struct Panel {
    pub(crate) title: String,
    pub(crate) series: Vec<Series>,
}

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 400.0;
/// Where the axes of a panel end, seen from its upper left corner.
const LEFT: f64 = 62.0;
const RIGHT: f64 = 298.0;
const TOP: f64 = 58.0;
const BOTTOM: f64 = 344.0;
/// How far apart the lines of text beside each other's must be.
const LINE: f64 = 15.0;

/// Colours that the colour-blind can tell apart, on a light and on a dark ground. wsctl stands out, the floor stays behind.
const COLORS: [(&str, &str, &str); 10] = [
    ("ground", "#ffffff", "#0d1117"),
    ("ink", "#1f2328", "#e6edf3"),
    ("dim", "#59636e", "#9198a1"),
    ("grid", "#dfe4ea", "#2a313a"),
    ("own-0", "#0a5fb4", "#58a6ff"),
    ("own-1", "#0a8578", "#3ccfbf"),
    ("peer-0", "#b3420a", "#ff9a5c"),
    ("peer-1", "#8a4fae", "#cf9bf2"),
    ("peer-2", "#8a6d00", "#d9b432"),
    ("floor", "#7a8591", "#8b949e"),
];
const SHAPES: &str = "text { font: 12px system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif; }
.title { font-size: 14px; font-weight: 600; }
.grid { stroke-width: 1; }
.line { stroke-width: 1.8; stroke-linejoin: round; }
.bold { stroke-width: 3; }
text.bold { font-weight: 600; }
.dashed { stroke-dasharray: 5 4; }
";

/// The ground is the plot's own, and follows what the reader prefers.
fn style() -> String {
    let rule = |name, color| format!(".{name} {{ fill: {color}; }} path.{name} {{ fill: none; stroke: {color}; }}\n");
    let light: String = COLORS.iter().map(|(name, light, _)| rule(name, light)).collect();
    let dark: String = COLORS.iter().map(|(name, _, dark)| rule(name, dark)).collect();
    format!("<style>\n{SHAPES}{light}@media (prefers-color-scheme: dark) {{\n{dark}}}\n</style>\n")
}

/// Draws the panels beside each other.
pub(crate) fn svg(panels: &[Panel]) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         role=\"img\" aria-label=\"Time against number of workspaces\">\n{}\
         <rect class=\"ground\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"8\"/>\n",
        style()
    );
    let times = || panels.iter().flat_map(|panel| &panel.series).flat_map(|series| &series.points);
    let scales = Scales {
        workspaces: Scale::around(times().map(|(workspaces, _)| as_float(*workspaces)), (LEFT + 8.0, RIGHT - 4.0)),
        seconds: Scale::around(times().flat_map(|(_, time)| [time.lower, time.upper]), (BOTTOM - 6.0, TOP + 6.0)),
    };
    for (index, panel) in panels.iter().enumerate() {
        let left = WIDTH / as_float(panels.len() as u64) * as_float(index as u64);
        let _ = write!(
            svg,
            "<g transform=\"translate({left:.0} 0)\">\n{}{}</g>\n",
            scales.axes(panel),
            scales.lines(panel)
        );
    }
    svg + "</svg>\n"
}

/// A logarithmic scale, from a value's logarithm to a place.
struct Scale {
    logarithms: (f64, f64),
    places: (f64, f64),
}

impl Scale {
    fn around(values: impl Iterator<Item = f64>, places: (f64, f64)) -> Self {
        let logarithms =
            values.map(log10).fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
        Self { logarithms, places }
    }

    fn place(&self, value: f64) -> f64 {
        let (low, high) = self.logarithms;
        let share = (log10(value) - low) / (high - low).max(f64::EPSILON);
        self.places.0 + share * (self.places.1 - self.places.0)
    }

    /// The powers of ten from `first` on that lie on the scale.
    fn powers(&self, first: i32) -> impl Iterator<Item = f64> {
        let (low, high) = self.logarithms;
        (first..first + 20)
            .map(|power| 10_f64.powi(power))
            .filter(move |value| (low - 1e-5..high + 1e-5).contains(&log10(*value)))
    }
}

struct Scales {
    workspaces: Scale,
    seconds: Scale,
}

impl Scales {
    fn axes(&self, panel: &Panel) -> String {
        let mut axes = format!("<text class=\"title ink\" x=\"{LEFT}\" y=\"26\">{}</text>\n", escaped(&panel.title));
        let _ = writeln!(axes, "<text class=\"dim\" x=\"{LEFT}\" y=\"44\">time, less is better</text>");
        for value in self.seconds.powers(-6) {
            let y = self.seconds.place(value);
            let _ = writeln!(axes, "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>");
            let _ = writeln!(
                axes,
                "<text class=\"dim\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 8.0,
                y + 4.0,
                tick(value)
            );
        }
        for value in self.workspaces.powers(0) {
            let x = self.workspaces.place(value);
            let _ = writeln!(axes, "<path class=\"grid\" d=\"M{x:.1} {TOP}V{BOTTOM}\"/>");
            let _ = writeln!(
                axes,
                "<text class=\"dim\" x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                BOTTOM + 18.0,
                ten(value)
            );
        }
        let middle = f64::midpoint(LEFT, RIGHT);
        let _ = writeln!(
            axes,
            "<text class=\"dim\" x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">workspaces</text>",
            BOTTOM + 38.0
        );
        axes
    }

    /// A line for each program, with its spread, and its name where it ends.
    fn lines(&self, panel: &Panel) -> String {
        let mut lines = String::new();
        let mut labels = Vec::new();
        // Drawn last, and so on top, is what the plot is about.
        for (series, look) in panel.series.iter().zip(looks(&panel.series)).rev() {
            let points: Vec<String> = series.points.iter().map(|(x, time)| self.point(*x, time.median)).collect();
            let _ = writeln!(lines, "<path class=\"line {look}\" d=\"M{}\"/>", points.join("L"));
            let color = look.split(' ').next().unwrap_or(look); // the spread is a plain, thin line
            for (x, time) in &series.points {
                let (from, to) = (self.point(*x, time.lower), self.point(*x, time.upper));
                let _ = writeln!(lines, "<path class=\"line {color}\" d=\"M{from}L{to}\"/>");
                let (x, y) = (self.workspaces.place(as_float(*x)), self.seconds.place(time.median));
                let _ =
                    writeln!(lines, "<circle class=\"{look}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" stroke=\"none\"/>");
            }
            let end = series.points.last().map_or(TOP, |(_, time)| self.seconds.place(time.median));
            labels.push(Label { y: end, name: &series.name, look });
        }
        for Label { y, name, look } in spread(labels) {
            let (x, y, name) = (RIGHT + 8.0, y + 4.0, escaped(name));
            let _ = writeln!(lines, "<text class=\"{look}\" x=\"{x}\" y=\"{y:.1}\">{name}</text>");
        }
        lines
    }

    fn point(&self, workspaces: u64, seconds: f64) -> String {
        format!("{:.1} {:.1}", self.workspaces.place(as_float(workspaces)), self.seconds.place(seconds))
    }
}

/// The classes of each: a colour, and a kind of line.
fn looks(series: &[Series]) -> std::vec::IntoIter<&'static str> {
    let mut own = ["own-0 bold", "own-1 bold"].iter().cycle();
    let mut peers = ["peer-0", "peer-1", "peer-2"].iter().cycle();
    let look = |series: &Series| match series.name.split([' ', ',']).next() {
        Some("wsctl") => own.next(),
        Some("floor") => Some(&"floor dashed"),
        _ => peers.next(),
    };
    series.iter().filter_map(look).copied().collect::<Vec<_>>().into_iter()
}

struct Label<'a> {
    y: f64,
    name: &'a str,
    look: &'static str,
}

/// Moves labels that would cover each other apart, as little as need be: those that touch share the room around their middle.
fn spread(mut labels: Vec<Label<'_>>) -> Vec<Label<'_>> {
    labels.sort_by(|a, b| a.y.total_cmp(&b.y));
    for _ in 0..100 {
        for index in 1..labels.len() {
            let missing = LINE - (labels[index].y - labels[index - 1].y);
            if missing > 0.0 {
                labels[index - 1].y -= missing / 2.0;
                labels[index].y += missing / 2.0;
            }
        }
    }
    labels
}

/// The decimal logarithm, a binary digit at a time: the square of a number between 1 and 10 tells the next one. `f64::log10`
/// would load libm into every process of this executable, the floors as well.
fn log10(mut value: f64) -> f64 {
    let mut logarithm = 0.0;
    while value >= 10.0 {
        (value, logarithm) = (value / 10.0, logarithm + 1.0);
    }
    while value < 1.0 {
        (value, logarithm) = (value * 10.0, logarithm - 1.0);
    }
    for digit in (1..=20).map(|place| 0.5_f64.powi(place)) {
        value *= value;
        if value >= 10.0 {
            (value, logarithm) = (value / 10.0, logarithm + digit);
        }
    }
    logarithm
}

fn tick(seconds: f64) -> String {
    if seconds < 0.9 { format!("{:.0} ms", seconds * 1000.0) } else { format!("{seconds:.0} s") }
}

fn ten(value: f64) -> String {
    let digits = format!("{value:.0}");
    digits.parse().map_or(digits, grouped)
}

#[expect(clippy::cast_precision_loss, reason = "a place on a plot is not that exact")]
fn as_float(number: u64) -> f64 {
    number as f64
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace("\\|", "|")
}
