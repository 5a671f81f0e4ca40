//! Each fault of a backend × each tool: an honest answer or error within the deadline, the process alive, and its
//! peak memory bounded.

#[path = "common/binary.rs"]
mod binary;
#[path = "common/calls.rs"]
mod calls;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_gives_every_tool_an_honest_error_in_time() {
    testkit::faults::every_fault_is_told(binary::PROGRAM, &["OPENSEARCH_URL"], &calls::good_calls()).await;
}
