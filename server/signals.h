#ifndef MOEPROBE_SERVER_SIGNALS_H_
#define MOEPROBE_SERVER_SIGNALS_H_

namespace moeprobe {

// From now on SIGTERM, SIGINT and SIGHUP end WaitForSignal and nothing else;
// the second SIGTERM or SIGINT ends the process. Call once, early. False if the
// system says no.
//
// A handler rather than sigwait: gRPC starts threads before main, and a signal
// blocked in main alone would reach one of those.
bool CatchSignals();

// Waits for a signal, unless it came already, and returns its number.
int WaitForSignal();

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_SIGNALS_H_
