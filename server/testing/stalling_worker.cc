// A worker program that takes tasks and tells the same of them for ever.

#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

#include "server/testing/test_worker.h"

// Called as a worker: --server ADDRESS and more.
int main(int argc, char** argv) {
  if (argc < 3 || std::string(argv[1]) != "--server") return 2;
  moeprobe::TestWorker worker(argv[2], getpid());
  const auto task = worker.Claim();
  while (task && worker.status().ok()) {
    worker.Report(*task, "layer 0", 0.5);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return 1;
}
