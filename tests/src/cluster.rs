//! Several organizations, one consortium.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::command;
use crate::node::{self, Node};

/// Two hospitals of the Lake may be slow, but not this slow.
const SETTLE: Duration = Duration::from_secs(30);
/// How often a cluster is set up anew because another program took one of its ports.
const ATTEMPTS: usize = 3;
const NAMES: [&str; 5] = ["St. Mary", "Nordstadt", "Lakeside", "Hillcrest", "Westend"];

/// What cluster is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// How many organizations.
    pub nodes: usize,
    /// How many of them are started at first.
    pub running: usize,
    /// The store's engine.
    pub engine: &'static str,
}

/// The nodes of a consortium. Dropping it kills them and removes their data.
#[derive(Debug)]
pub struct Cluster {
    /// The nodes, the founder first.
    pub nodes: Vec<Node>,
    /// The consortium's id.
    pub consortium: String,
    /// The charter's file.
    pub charter: PathBuf,
    folder: TempDir,
}

impl Cluster {
    /// A consortium of so many running nodes that know of each other.
    #[must_use]
    pub fn of(nodes: usize) -> Self {
        Self::shaped(Shape {
            nodes,
            running: nodes,
            engine: node::DEFAULT_ENGINE,
        })
    }

    /// A consortium of this shape; those that run know of each other.
    ///
    /// # Panics
    /// It cannot be set up.
    #[must_use]
    pub fn shaped(shape: Shape) -> Self {
        Self::ruled(shape, &[], |_| {})
    }

    /// The same, with further arguments for `found` and a further look at the configurations.
    ///
    /// # Panics
    /// It cannot be set up.
    #[must_use]
    pub fn ruled(shape: Shape, rules: &[&str], configure: impl Fn(&Node)) -> Self {
        for attempt in 1.. {
            let mut cluster = Self::found_by(shape, rules);
            cluster.nodes.iter().for_each(&configure);
            match cluster.try_start(shape.running) {
                Ok(()) => return cluster,
                // Between the moment a port was found free and the moment the node listened, somebody took it.
                Err(error) if error.contains("in use") && attempt < ATTEMPTS => {}
                Err(error) => panic!("{error}"),
            }
        }
        unreachable!("the loop ends by itself")
    }

    /// A consortium of which no node runs yet.
    ///
    /// # Panics
    /// One of the commands fails.
    #[must_use]
    pub fn found(shape: Shape) -> Self {
        Self::found_by(shape, &[])
    }

    fn found_by(shape: Shape, rules: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("syndic-test-").tempdir().unwrap();
        let nodes: Vec<Node> = (0..shape.nodes)
            .map(|index| Node::init(&folder.path().join(format!("node{index}")), NAMES[index], shape.engine))
            .collect();
        for node in &nodes {
            // The tests are one address, and ask more often than a stranger would.
            node.configure("requests_per_second = 50", "requests_per_second = 100000");
            node.configure("anti_entropy_seconds = 5", "anti_entropy_seconds = 1");
        }
        let charter = folder.path().join("charter.json");
        let cards: Vec<String> = nodes
            .iter()
            .map(|node| node.data.join("member.json").display().to_string())
            .collect();
        let mut arguments = vec!["found", "--json", "--name", "Hospitals of the Lake"];
        let out = charter.display().to_string();
        arguments.extend(["--out", &out]);
        for card in &cards {
            arguments.extend(["--member", card]);
        }
        arguments.extend(rules);
        let founded = node::syndic(&nodes[0].data, &arguments)
            .expect_success("syndic found")
            .json();
        for node in &nodes[1..] {
            let _joined = node.syndic(&["join", &out]).expect_success("syndic join");
        }
        Self {
            nodes,
            consortium: founded["consortiumId"].as_str().unwrap().to_owned(),
            charter,
            folder,
        }
    }

    fn try_start(&mut self, running: usize) -> Result<(), String> {
        for node in &mut self.nodes[..running] {
            node.spawn();
        }
        for node in &mut self.nodes[..running] {
            node.wait_ready()?;
        }
        self.settle(&(0..running).collect::<Vec<_>>());
        Ok(())
    }

    /// Waits until these nodes have heard of each other and know the same.
    ///
    /// # Panics
    /// They do not within half a minute.
    pub fn settle(&self, nodes: &[usize]) {
        command::eventually("all know the same", SETTLE, || {
            let states: Vec<Value> = nodes.iter().map(|index| digest(&self.nodes[*index])).collect();
            let same = states.windows(2).all(|pair| pair[0] == pair[1]);
            let heard = nodes.iter().all(|index| {
                let organizations = states[0]["organizations"].as_array().cloned().unwrap_or_default();
                organizations
                    .iter()
                    .any(|one| one["did"] == self.nodes[*index].did.as_str() && one["size"] != 0)
            });
            if same && heard {
                Ok(())
            } else {
                Err(format!("{states:#?}"))
            }
        });
    }

    /// A folder for files of the test.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}

/// What a node says it knows.
#[must_use]
pub fn digest(node: &Node) -> Value {
    node.admin().get("/registry/digest").expect(200)
}
