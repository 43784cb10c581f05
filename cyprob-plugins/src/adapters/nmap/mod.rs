//! Nmap's XML output as facts, one set for each open port.
//!
//! Real files carry a bare `<!DOCTYPE nmaprun>` and a stylesheet instruction;
//! both are skipped, nothing is resolved. Every other document type is
//! refused, and so are deep nesting and elements with very many attributes.

mod guard;
mod port;
mod scripts;

use roxmltree::{Document, Node, ParsingOptions};

use crate::domain::{Code, Diagnostic, FactSet, Limits, Position};

use super::facts::bounded;

/// Reads one Nmap run.
pub(super) fn read(text: &str, limits: &Limits) -> Result<Vec<FactSet>, Diagnostic> {
    let plain = guard::check(text, limits)?;
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: u32::try_from(limits.nodes).unwrap_or(u32::MAX),
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(&plain, options).map_err(|error| {
        let pos = error.pos();
        let at = Position {
            line: pos.row as usize,
            column: pos.col as usize,
        };
        match error {
            roxmltree::Error::NodesLimitReached => Diagnostic::new(
                Code::TooManyNodes,
                at,
                format!("more than {} elements; split the scan", limits.nodes),
            ),
            _ => Diagnostic::new(Code::Syntax, at, "the XML is not well formed here"),
        }
    })?;
    let run = document.root_element();
    if run.tag_name().name() != "nmaprun" {
        return Err(Diagnostic::new(
            Code::BadFacts,
            place(run),
            "the root element must be `nmaprun`; give the file that nmap -oX wrote",
        ));
    }
    let end = scan_end(run);
    let mut out = Vec::new();
    for host in run.children().filter(|n| n.has_tag_name("host")) {
        let target = address(host).unwrap_or_default();
        let ports = host.children().filter(|n| n.has_tag_name("ports"));
        for port in ports
            .flat_map(|p| p.children())
            .filter(|n| n.has_tag_name("port"))
        {
            let open = child(port, "state").and_then(|s| s.attribute("state")) == Some("open");
            if !open {
                continue;
            }
            let end = host
                .attribute("endtime")
                .and_then(|t| t.parse().ok())
                .filter(|_| end.is_none())
                .or(end);
            out.push(
                port::facts(target, port, end)
                    .map_err(|message| Diagnostic::new(Code::BadFacts, place(port), message))?,
            );
            bounded(&out, || place(port), limits)?;
        }
    }
    Ok(out)
}

/// When the scan ended, in seconds since the Unix epoch.
fn scan_end(run: Node<'_, '_>) -> Option<i64> {
    let finished = child(run, "runstats").and_then(|s| child(s, "finished"));
    finished
        .and_then(|f| f.attribute("time"))
        .or_else(|| run.attribute("start"))
        .and_then(|t| t.parse().ok())
}

/// The IP address, else any other.
fn address<'a>(host: Node<'a, '_>) -> Option<&'a str> {
    let addresses = || host.children().filter(|n| n.has_tag_name("address"));
    addresses()
        .find(|a| matches!(a.attribute("addrtype"), Some("ipv4" | "ipv6")))
        .or_else(|| addresses().next())
        .and_then(|a| a.attribute("addr"))
}

fn place(node: Node<'_, '_>) -> Position {
    let pos = node.document().text_pos_at(node.range().start);
    Position {
        line: pos.row as usize,
        column: pos.col as usize,
    }
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|n| n.has_tag_name(name))
}

#[cfg(test)]
mod tests;
