//! How long a statement takes to reach everybody, and what it costs, in simulated consortia of 5, 50 and 500
//! members.
//!
//! `cargo run --release -p syndic-registry --example convergence` writes `specs/figures/convergence.md` and
//! `specs/figures/convergence.svg`; with numbers behind it (`-- 100`) only consortia of these sizes, printed and not
//! written. Equal sources give equal files. The 500 take two minutes of a core for each loss, and 4.3 GB.
#![allow(clippy::print_stdout, clippy::cast_precision_loss)]

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

use syndic_registry::sim::spread::{self, Setting, Spread};

const SIZES: [usize; 3] = [5, 50, 500];
const LOSSES: [u64; 2] = [0, 10];
const COLOURS: [&str; 3] = ["#1b6ca8", "#c8553d", "#3a7d44"];

/// Milliseconds at both ends of the plot, whose axis is logarithmic.
const SHOWN: (f64, f64) = (20.0, 20_000.0);

/// Width, height and margin of the plot.
const SIZE: (f64, f64, f64) = (720.0, 360.0, 50.0);

fn main() -> Result<(), Box<dyn Error>> {
    let chosen: Vec<usize> = std::env::args()
        .skip(1)
        .map(|text| text.parse())
        .collect::<Result<_, _>>()?;
    let sizes = if chosen.is_empty() {
        SIZES.to_vec()
    } else {
        chosen.clone()
    };
    let mut runs = Vec::new();
    for members in sizes {
        for loss in LOSSES {
            let setting = Setting {
                members,
                loss,
                statements: 20,
                seed: 1,
            };
            runs.push((setting, spread::run(setting)?));
        }
    }
    let table = table(&runs);
    print!("{table}");
    if chosen.is_empty() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs/figures");
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("convergence.md"), table)?;
        std::fs::write(folder.join("convergence.svg"), plot(&runs)?)?;
    }
    Ok(())
}

fn table(runs: &[(Setting, Spread)]) -> String {
    let mut out = String::from(
        "| members | loss | stored at a member: p50 | p99 | longest | stored at all: p50 | longest | announced, bytes \
         | messages | compared, bytes for each member and second |\n|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for (setting, spread) in runs {
        let delivered = (spread.delays.len() as u64).max(1);
        let seconds = spread.milliseconds.max(1) * setting.members as u64;
        out += &format!(
            "| {} | {} % | {} ms | {} ms | {} ms | {} ms | {} ms | {} | {:.1} | {} |\n",
            setting.members,
            setting.loss,
            spread.within(50),
            spread.within(99),
            spread.within(100),
            spread::percentile(&spread.whole, 50),
            spread::percentile(&spread.whole, 100),
            spread.announced / delivered,
            spread.broadcasts as f64 / delivered as f64,
            spread.compared * 1_000 / seconds,
        );
    }
    out
}

/// Which share of members has stored a statement after which time.
fn plot(runs: &[(Setting, Spread)]) -> Result<String, std::fmt::Error> {
    let (width, height, margin) = SIZE;
    let (first, last) = (SHOWN.0.ln(), SHOWN.1.ln());
    let x = |ms: f64| margin + (ms.clamp(SHOWN.0, SHOWN.1).ln() - first) / (last - first) * (width - 2.0 * margin);
    let y = |percent: f64| height - margin - percent / 100.0 * (height - 2.0 * margin);
    let mut out = String::new();
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">"
    )?;
    writeln!(out, "<rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>")?;
    for ms in [20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000] {
        let at = x(f64::from(ms));
        writeln!(
            out,
            "<path d=\"M{at:.1} {:.1}V{:.1}\" stroke=\"#ddd\"/>",
            y(0.0),
            y(100.0)
        )?;
        writeln!(
            out,
            "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{ms}</text>",
            y(0.0) + 16.0
        )?;
    }
    for percent in [0, 25, 50, 75, 100] {
        let at = y(f64::from(percent));
        writeln!(
            out,
            "<path d=\"M{:.1} {at:.1}H{:.1}\" stroke=\"#ddd\"/>",
            x(SHOWN.0),
            x(SHOWN.1)
        )?;
        writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{percent} %</text>",
            margin - 6.0,
            at + 4.0
        )?;
    }
    let middle = width / 2.0;
    writeln!(
        out,
        "<text x=\"{middle}\" y=\"{:.1}\" text-anchor=\"middle\">milliseconds from the acknowledgement until a member has \
         stored the statement</text>",
        height - 12.0
    )?;
    for (number, (setting, spread)) in runs.iter().enumerate() {
        let colour = COLOURS
            .get(number / LOSSES.len() % COLOURS.len())
            .copied()
            .unwrap_or("black");
        let dashes = if setting.loss == 0 {
            ""
        } else {
            " stroke-dasharray=\"6 3\""
        };
        let mut line = String::new();
        for percent in 0..=100_u8 {
            let at = x(spread.within(usize::from(percent)) as f64);
            let step = if percent == 0 { 'M' } else { 'L' };
            write!(line, "{step}{at:.1} {:.1}", y(f64::from(percent)))?;
        }
        writeln!(
            out,
            "<path d=\"{line}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>"
        )?;
        let (left, top) = (width - margin - 180.0, height - margin - 110.0 + 16.0 * number as f64);
        writeln!(
            out,
            "<path d=\"M{left:.1} {top:.1}h30\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>"
        )?;
        let text = format!("{} members, {} % loss", setting.members, setting.loss);
        writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\">{text}</text>",
            left + 36.0,
            top + 4.0
        )?;
    }
    out += "</svg>\n";
    Ok(out)
}
