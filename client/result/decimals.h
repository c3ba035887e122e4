#ifndef MOEPROBE_CLIENT_RESULT_DECIMALS_H_
#define MOEPROBE_CLIENT_RESULT_DECIMALS_H_

namespace moeprobe {

// Returns how many decimals numbers up to `largest` are shown with: three, as
// the papers have them; one where numbers are large, and as many as it takes
// for three digits where they are tiny.
int DecimalsUpTo(double largest);

// The same, or more where it takes more to show two digits of `error`, which
// counts if it is above 0.
int DecimalsUpTo(double largest, double error);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_DECIMALS_H_
