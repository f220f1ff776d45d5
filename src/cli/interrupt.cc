// SPDX-License-Identifier: Apache-2.0
#include "cli/interrupt.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <initializer_list>

namespace trawl::cli {

namespace {

std::atomic<CancelToken*> g_token{nullptr};
std::atomic<int> g_signal{0};

void set_handler(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;  // without SA_RESTART, so that a call that waits returns
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction old {};
    sigaction(signal, nullptr, &old);
    if (old.sa_handler != SIG_IGN) {  // as nohup and background shells want it
      sigaction(signal, &action, nullptr);
    }
  }
}

extern "C" void on_signal(int signal) {
  const int saved = errno;
  set_handler(SIG_DFL);  // the second one kills, whichever it is
  g_signal.store(signal);
  if (CancelToken* token = g_token.load()) {
    token->cancel();
  }
  errno = saved;
}

}  // namespace

Interrupt::Interrupt(CancelToken& token) {
  g_signal.store(0);
  g_token.store(&token);
  set_handler(on_signal);
}

Interrupt::~Interrupt() {
  set_handler(SIG_DFL);
  g_token.store(nullptr);
}

int Interrupt::status() {
  const int signal = g_signal.load();
  return signal == 0 ? 0 : 128 + signal;
}

}  // namespace trawl::cli
