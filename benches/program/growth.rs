//! Time against the number of workspaces.

use crate::contest::{Program, Quartiles, Taken, seconds, table};
use crate::measures::{Bench, IDS, PRUNE, SIZES, grouped, on_one_base};
use crate::plot::{Panel, Series, svg};

/// Measures growth from 1,000 workspaces up, shows it, and gives the plot.
pub(crate) fn plot(bench: &mut Bench, up_to: u64) -> anyhow::Result<String> {
    let powers = (3..10).map(|power| 10_u64.pow(power));
    let steps: Vec<u64> = powers.flat_map(|power| [power, 3 * power]).take_while(|step| *step <= up_to).collect();
    let mut lists = bench.programs.wsctl(&[&IDS, &SIZES]);
    lists.push(bench.programs.floor("list", 2));
    lists.extend(bench.programs.listers());
    lists.extend(bench.programs.adders());
    let list = grow("Listing, with and without sizes", &steps, &lists, |step| {
        let base = bench.base(step, 0.5, true)?;
        on_one_base(&lists, &base, rounds(bench, step))
    })?;

    let mut removers = bench.programs.wsctl(&[&PRUNE]);
    removers.push(bench.programs.floor("remove", 2));
    removers.extend(bench.programs.removers());
    let remove =
        grow("Removing", &steps, &removers, |step| Ok(bench.on_fresh_bases(&removers, step, rounds(bench, step))?.1))?;
    Ok(svg(&[list, remove]))
}

/// Many workspaces take long, and vary less.
fn rounds(bench: &Bench, workspaces: u64) -> usize {
    if workspaces < 30_000 { bench.rounds.div_ceil(2) } else { bench.rounds.div_ceil(5) }
}

/// Options that are beside the point.
fn short(name: &str) -> String {
    name.replace(" --format ids", "").replace(" --older-than 7d --yes", "")
}

/// Measures the programs at each step, and shows their times.
fn grow(
    title: &str,
    steps: &[u64],
    programs: &[Program],
    mut measure: impl FnMut(u64) -> anyhow::Result<Vec<Vec<Taken>>>,
) -> anyhow::Result<Panel> {
    let series = |program: &Program| Series { name: short(&program.name), points: Vec::new() };
    let mut series: Vec<Series> = programs.iter().map(series).collect();
    for step in steps {
        for (series, taken) in series.iter_mut().zip(measure(*step)?) {
            series.points.push((*step, Quartiles::of(taken.iter().map(|taken| taken.time))));
        }
    }
    let mut rows = vec![vec![title.to_owned()]];
    rows[0].extend(steps.iter().map(|step| grouped(*step)));
    for series in &series {
        let times = series.points.iter().map(|(_, time)| seconds(time.median));
        rows.push(std::iter::once(series.name.clone()).chain(times).collect());
    }
    table(&rows);
    Ok(Panel { title: title.to_owned(), series })
}
