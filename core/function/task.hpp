// A coroutine of a device: what runs over more than one stimulus. It starts at once, suspends at
// each co_await of a delay or DMA, holds no lock while suspended, and can be destroyed there.
//
//   Task<Status> fetch(std::uint64_t iova) { co_return co_await dma_read(iova, buffer_); }
//   Task<> run() { co_await delay(100ms); if (co_await fetch(src) == Status::SC) interrupt(0); }
//   bank.on_write(kCommand, [this](auto&) { start(run()); });
#pragma once

#include <coroutine>
#include <exception>
#include <list>
#include <optional>
#include <utility>

namespace pcilens {

template <typename T = void>
class [[nodiscard]] Task;

namespace detail {

struct TaskPromiseBase {
  std::coroutine_handle<> continuation;
  std::exception_ptr exception;

  std::suspend_always initial_suspend() noexcept { return {}; }
  struct Final {
    bool await_ready() noexcept { return false; }
    template <typename P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> h) noexcept {
      if (auto next = h.promise().continuation) return next;
      return std::noop_coroutine();
    }
    void await_resume() noexcept {}
  };
  Final final_suspend() noexcept { return {}; }
  void unhandled_exception() { exception = std::current_exception(); }
};

template <typename T>
struct TaskPromise : TaskPromiseBase {
  std::optional<T> result;
  Task<T> get_return_object();
  void return_value(T value) { result = std::move(value); }
  T take() {
    if (exception) std::rethrow_exception(exception);
    return std::move(*result);
  }
};

template <>
struct TaskPromise<void> : TaskPromiseBase {
  Task<void> get_return_object();
  void return_void() {}
  void take() {
    if (exception) std::rethrow_exception(exception);
  }
};

}  // namespace detail

template <typename T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::TaskPromise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) {
    handle_.promise().continuation = waiter;
    return handle_;
  }
  T await_resume() { return handle_.promise().take(); }

  Handle handle() const { return handle_; }

 private:
  Handle handle_;
};

template <typename T>
Task<T> detail::TaskPromise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<TaskPromise<T>>::from_promise(*this));
}
inline Task<void> detail::TaskPromise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<TaskPromise<void>>::from_promise(*this));
}

// The running coroutines of one function. Destroying or cancelling them ends each where it waits.
class TaskScope {
 public:
  // Runs it to its first wait. What it throws before that comes out here; later, out of reap().
  void start(Task<void> task) {
    tasks_.push_back(std::move(task));
    auto it = std::prev(tasks_.end());
    it->handle().resume();
    if (it->handle().done()) {
      Task<void> finished = std::move(*it);
      tasks_.erase(it);
      finished.await_resume();
    }
  }
  // Frees those that have ended and rethrows what one threw. Called after each stimulus.
  void reap() {
    for (auto it = tasks_.begin(); it != tasks_.end();) {
      if (!it->handle().done()) {
        ++it;
        continue;
      }
      Task<void> finished = std::move(*it);
      it = tasks_.erase(it);
      finished.await_resume();
    }
  }
  // Ends all. Not from inside a task: it would destroy itself.
  void cancel() { tasks_.clear(); }
  bool empty() const { return tasks_.empty(); }

 private:
  std::list<Task<void>> tasks_;
};

}  // namespace pcilens
