// SPDX-License-Identifier: Apache-2.0
#include "cli/interrupt.h"

#include <atomic>
#include <csignal>
#include <initializer_list>

namespace trawl::cli {

namespace {

std::atomic<CancelToken*> g_token{nullptr};
std::atomic<int> g_signal{0};

extern "C" void on_signal(int signal) {
  g_signal.store(signal);
  if (CancelToken* token = g_token.load()) {
    token->cancel();
  }
}

void set_handler(void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction old {};
    sigaction(signal, nullptr, &old);
    if (old.sa_handler != SIG_IGN) {  // as nohup and background shells want it
      sigaction(signal, &action, nullptr);
    }
  }
}

}  // namespace

Interrupt::Interrupt(CancelToken& token) {
  g_signal.store(0);
  g_token.store(&token);
  // Not restarted, so that a call that waits returns; once only, so that the second signal kills.
  set_handler(on_signal, static_cast<int>(SA_RESETHAND));
}

Interrupt::~Interrupt() {
  set_handler(SIG_DFL, 0);
  g_token.store(nullptr);
}

int Interrupt::status() {
  const int signal = g_signal.load();
  return signal == 0 ? 0 : 128 + signal;
}

}  // namespace trawl::cli
