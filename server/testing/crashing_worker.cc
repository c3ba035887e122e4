// A worker program that takes a task and dies of it.

#include <unistd.h>

#include <csignal>
#include <string>

#include "server/testing/test_worker.h"

// Called as a worker: --server ADDRESS and more.
int main(int argc, char** argv) {
  if (argc < 3 || std::string(argv[1]) != "--server") return 2;
  moeprobe::TestWorker worker(argv[2], getpid());
  const auto task = worker.Claim();
  if (task) std::raise(SIGKILL);
  return 1;
}
