// Where answers of the target wait for the window: any thread posts, the window's thread takes.
// Callbacks hold it by shared_ptr, so that one that comes after the window is gone does no harm.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "core/target/target.hpp"

namespace pcilens::gui {

class Mailbox {
 public:
  using Letter = std::function<void()>;

  // `wake` is called on the posting thread; pass {} before the window closes.
  void on_post(std::function<void()> wake) {
    const std::lock_guard lock(mutex_);
    wake_ = std::move(wake);
  }
  void post(Letter letter) {
    const std::lock_guard lock(mutex_);
    letters_.push_back(std::move(letter));
    if (wake_) wake_();
  }
  void wake() {
    const std::lock_guard lock(mutex_);
    if (wake_) wake_();
  }
  // Runs what has come, on the caller's thread.
  bool deliver() {
    std::vector<Letter> letters;
    {
      const std::lock_guard lock(mutex_);
      letters.swap(letters_);
    }
    for (const Letter& letter : letters) letter();
    return !letters.empty();
  }

 private:
  std::mutex mutex_;
  std::function<void()> wake_;
  std::vector<Letter> letters_;
};

// A Done that runs `then` on the window's thread.
template <typename T, typename Then>
Done<T> later(const std::shared_ptr<Mailbox>& mailbox, Then then) {
  return [mailbox, then = std::move(then)](Result<T> result) {
    mailbox->post([then, result = std::move(result)]() mutable { then(std::move(result)); });
  };
}

}  // namespace pcilens::gui
