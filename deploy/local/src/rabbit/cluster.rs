//! RabbitMQ nodes with common queues. Each node reaches each other node through a proxy, and so can be cut off.

use std::time::Duration;

use anyhow::{Context, Result};
use futures::future::{join_all, try_join_all};

use super::{Endpoint, Node, NodeOptions, Peer};
use crate::poll;
use crate::proxy::{Mode, Proxy};
use crate::state::StateDir;

/// How long a cluster may take until all nodes serve and no queue misses a member, or until leaders have moved. Usual are 10 s; beside
/// OCR on two cores of a busy machine a node that was cut off has taken more than 90 s.
const WHOLE_DEADLINE: Duration = Duration::from_secs(240);

/// A cluster of nodes, running or not.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Node>,
    ways: Vec<Way>,
}

/// The proxy through which one node reaches another.
#[derive(Debug)]
struct Way {
    ends: [usize; 2],
    proxy: Proxy,
}

impl Cluster {
    /// A cluster in a stack's state, not started yet, with the ports and the password of last time.
    pub async fn of_stack(state: &mut StateDir, vhost: &str, nodes: usize) -> Result<Self> {
        let planned = (1..=nodes).map(|number| NodeOptions::member(state, vhost, number));
        let mut planned = planned.collect::<Result<Vec<_>>>()?;
        let mut ways = Vec::new();
        for from in 0..nodes {
            for to in (0..nodes).filter(|to| *to != from) {
                let proxy = Proxy::open(&[planned[to].distribution_port]).await?;
                let peer = Peer {
                    name: planned[to].name.clone(),
                    port: proxy.port,
                };
                planned[from].peers.push(peer);
                let ends = [from, to];
                ways.push(Way { ends, proxy });
            }
        }
        let nodes = planned.into_iter().map(Node::new).collect();
        Ok(Self { nodes, ways })
    }

    /// The endpoint of each node.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.nodes.iter().map(|node| node.endpoint().clone()).collect()
    }

    /// The node with this number, counted from 0.
    pub fn node(&mut self, number: usize) -> &mut Node {
        &mut self.nodes[number]
    }

    /// Starts the stopped nodes all at once, and waits for all of them. After a stop of the whole cluster, only the node that was
    /// stopped last starts alone.
    pub async fn start(&mut self) -> Result<()> {
        try_join_all(self.nodes.iter_mut().map(Node::start)).await.map(drop)
    }

    /// Waits until all nodes serve clients and no queue misses a member: then any one node may be lost.
    pub async fn until_whole(&self) -> Result<()> {
        let nodes = self.nodes.iter().map(|node| async {
            let management = node.endpoint().management()?;
            poll::until("wait for the whole cluster", WHOLE_DEADLINE, async || {
                let is_whole = node.serves(&management).await && management.may_be_lost().await;
                Ok(is_whole.then_some(()))
            })
            .await
        });
        try_join_all(nodes).await.map(drop)
    }

    /// Cuts a node off from all others: nothing arrives, and no node is told.
    pub fn cut_off(&self, node: usize) {
        for way in self.ways.iter().filter(|way| way.ends.contains(&node)) {
            way.proxy.set(Mode::Cut);
        }
    }

    /// Lets all nodes reach each other.
    pub fn rejoin(&self) {
        for way in &self.ways {
            way.proxy.set(Mode::Open);
        }
    }

    /// Gives every queue a member on every node. Until it succeeds it is repeated, since a queue that is just making a member
    /// takes no other. By itself a queue has members only on the nodes that the cluster had when the queue was declared.
    pub async fn grow(&self) -> Result<()> {
        const GROW: &str = "[[{_, {ok, _}} = Grown \
              || Grown <- rabbit_quorum_queue:grow(Node, <<\".*\">>, <<\".*\">>, all)] \
              || Node <- rabbit_nodes:all_running()].";
        let grown = async || Ok(self.eval(GROW).await.ok());
        poll::until("give queues more members", WHOLE_DEADLINE, grown).await
    }

    /// Gives every queue another of its members as leader, as an operator does who balances leaders. Until it succeeds it is
    /// repeated, since a queue whose leader has just changed may not tell its members.
    pub async fn move_leaders(&self) -> Result<()> {
        const MOVE: &str = "[begin {_, Leader} = amqqueue:get_pid(Queue), \
              [Next | _] = rabbit_quorum_queue:get_replicas(Queue) -- [Leader], \
              {migrated, _} = rabbit_quorum_queue:transfer_leadership(Queue, Next) end \
              || Queue <- rabbit_amqqueue:list(), amqqueue:is_quorum(Queue)].";
        let moved = async || Ok(self.eval(MOVE).await.ok());
        poll::until("move the leaders of queues", WHOLE_DEADLINE, moved).await
    }

    async fn eval(&self, expression: &str) -> Result<()> {
        self.nodes
            .first()
            .context("the cluster has no nodes")?
            .eval(expression)
            .await
    }

    /// Kills all nodes at once, as `kill -9` does; their data stays.
    pub async fn kill9(&mut self) {
        join_all(self.nodes.iter_mut().map(Node::kill9)).await;
    }

    /// Kills all nodes and deletes all their data: the next start makes a new cluster.
    pub async fn wipe(&mut self) -> Result<()> {
        self.kill9().await;
        try_join_all(self.nodes.iter_mut().map(Node::wipe)).await.map(drop)
    }
}
