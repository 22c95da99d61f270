//! Filters of lists of builds, by word or by number, as clients send them.

use super::fault::Fault;
use crate::model::{PipelineRun, RunResult, RunStatus};

/// As many as Azure DevOps gives when nobody says how many.
const USUAL: usize = 1000;

/// What a list is to hold.
#[derive(Debug, Default)]
pub(super) struct Filter {
    definitions: Option<Vec<u32>>,
    ids: Option<Vec<u32>>,
    number: Option<String>,
    statuses: Option<Vec<RunStatus>>,
    results: Option<Vec<RunResult>>,
    earliest: Option<jiff::Timestamp>,
    latest: Option<jiff::Timestamp>,
    pub(super) ascending: bool,
    pub(super) most: usize,
}

impl Filter {
    /// Reads a query; names in any case.
    pub(super) fn read(query: &[(String, String)]) -> Result<Self, Fault> {
        let mut filter = Self { most: USUAL, ..Self::default() };
        for (name, value) in query.iter().filter(|(_, value)| !value.is_empty()) {
            let wrong = || {
                Fault::invalid(format!(
                    "{name}: `{}` is not understood",
                    value.chars().take(60).collect::<String>()
                ))
            };
            match name.to_lowercase().as_str() {
                "definitions" => filter.definitions = Some(numbers(value).ok_or_else(wrong)?),
                "buildids" => filter.ids = Some(numbers(value).ok_or_else(wrong)?),
                "buildnumber" => filter.number = Some(value.trim_end_matches('*').to_owned()),
                "$top" | "top" => filter.most = value.parse().map_err(|_| wrong())?,
                "statusfilter" => filter.statuses = statuses(value).ok_or_else(wrong)?,
                "resultfilter" => filter.results = Some(results(value).ok_or_else(wrong)?),
                "mintime" => filter.earliest = Some(time(value).ok_or_else(wrong)?),
                "maxtime" => filter.latest = Some(time(value).ok_or_else(wrong)?),
                "queryorder" => filter.ascending = is_ascending(value),
                _ => {}
            }
        }
        Ok(filter)
    }

    /// Whether a run belongs into the list.
    pub(super) fn takes(&self, run: &PipelineRun) -> bool {
        let queued = run.queued.parse::<jiff::Timestamp>().ok();
        let holds = |wanted: &Option<Vec<u32>>, number| {
            wanted.as_ref().is_none_or(|wanted| wanted.contains(&number))
        };
        holds(&self.definitions, run.definition.number())
            && holds(&self.ids, run.id)
            && self.number.as_ref().is_none_or(|number| *number == run.id.to_string())
            && self.statuses.as_ref().is_none_or(|wanted| wanted.contains(&run.status))
            && self
                .results
                .as_ref()
                .is_none_or(|wanted| run.result.is_some_and(|result| wanted.contains(&result)))
            && self.earliest.is_none_or(|earliest| queued.is_some_and(|queued| queued >= earliest))
            && self.latest.is_none_or(|latest| queued.is_some_and(|queued| queued <= latest))
    }
}

/// By word, or by number: rising by the time of the end, of the queue or of the start.
fn is_ascending(order: &str) -> bool {
    order.to_lowercase().ends_with("ascending") || matches!(order, "2" | "5" | "7")
}

/// As ISO 8601 has it; or as the client for Node writes it, as in a header of HTTP.
fn time(text: &str) -> Option<jiff::Timestamp> {
    let in_words = || jiff::fmt::rfc2822::parse(text).map(|zoned| zoned.timestamp());
    text.parse().or_else(|_| in_words()).ok()
}

fn numbers(text: &str) -> Option<Vec<u32>> {
    text.split(',').map(|number| number.trim().parse().ok()).collect()
}

/// One or several, by word or as a sum of numbers; none for all of them.
#[expect(clippy::option_option, reason = "all, some, or not understood")]
fn statuses(text: &str) -> Option<Option<Vec<RunStatus>>> {
    const NUMBERS: [(u32, RunStatus); 4] = [
        (1, RunStatus::InProgress),
        (2, RunStatus::Completed),
        (4, RunStatus::Cancelling),
        (32, RunStatus::NotStarted),
    ];
    if let Ok(sum) = text.parse::<u32>() {
        return Some(Some(
            NUMBERS
                .into_iter()
                .filter(|(bit, _)| sum & bit != 0)
                .map(|(_, status)| status)
                .collect(),
        ));
    }
    let mut wanted = Vec::new();
    for word in text.split(',') {
        wanted.push(match word.trim().to_lowercase().as_str() {
            "all" => return Some(None),
            "inprogress" => RunStatus::InProgress,
            "completed" => RunStatus::Completed,
            "cancelling" => RunStatus::Cancelling,
            "notstarted" => RunStatus::NotStarted,
            "none" | "postponed" => continue,
            _ => return None,
        });
    }
    Some(Some(wanted))
}

fn results(text: &str) -> Option<Vec<RunResult>> {
    const NUMBERS: [(u32, RunResult); 3] =
        [(2, RunResult::Succeeded), (8, RunResult::Failed), (32, RunResult::Canceled)];
    if let Ok(sum) = text.parse::<u32>() {
        return Some(
            NUMBERS
                .into_iter()
                .filter(|(bit, _)| sum & bit != 0)
                .map(|(_, result)| result)
                .collect(),
        );
    }
    let mut wanted = Vec::new();
    for word in text.split(',') {
        wanted.push(match word.trim().to_lowercase().as_str() {
            "succeeded" => RunResult::Succeeded,
            "failed" => RunResult::Failed,
            "canceled" => RunResult::Canceled,
            "none" | "partiallysucceeded" => continue,
            _ => return None,
        });
    }
    Some(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_each_client_writes_them() {
        let wanted: jiff::Timestamp = "2026-11-21T23:00:21Z".parse().unwrap();
        for text in
            ["2026-11-21T23:00:21Z", "2026-11-22T00:00:21+01:00", "Sat, 21 Nov 2026 23:00:21 GMT"]
        {
            assert_eq!(time(text), Some(wanted), "{text}");
        }
        assert_eq!(time("yesterday"), None);
    }
}
