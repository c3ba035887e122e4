#ifndef MOEPROBE_SERVER_STOP_SIGNALS_H_
#define MOEPROBE_SERVER_STOP_SIGNALS_H_

namespace moeprobe {

// From now on SIGTERM and SIGINT end WaitForStopSignal and nothing else; the
// second of a kind ends the process. Call once, early. False if the system
// says no.
//
// A handler rather than sigwait: gRPC starts threads before main, and a signal
// blocked in main alone would reach one of those.
bool CatchStopSignals();

// Waits for a signal, unless it came already, and returns its number.
int WaitForStopSignal();

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_STOP_SIGNALS_H_
