//! One argument says which failure.
use anyhow::Context;

struct Pool<T> {
    items: Vec<T>,
}

impl<T: Copy> Pool<T> {
    #[inline(never)]
    fn acquire(&self, index: usize) -> T {
        self.items[index]
    }
}

#[inline(never)]
fn charge(order: &str) -> anyhow::Result<u32> {
    order.parse::<u32>().context("could not read the amount")
}

#[inline(never)]
fn place(order: &str) -> anyhow::Result<u32> {
    charge(order).with_context(|| format!("order {order} failed"))
}

fn main() -> anyhow::Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("index") => {
            let pool = Pool { items: vec![1, 2, 3] };
            let indexes = [5];
            let found: Vec<i32> = indexes.iter().map(|index| pool.acquire(*index)).collect();
            println!("{found:?}");
        }
        Some("unwrap") => {
            place("A-17").unwrap();
        }
        Some("one") => {
            charge("A-18")?;
        }
        Some("thread") => {
            let worker = std::thread::Builder::new().name("worker-1".to_owned());
            let worker = worker.spawn(|| panic!("first line\nsecond line"))?;
            worker.join().ok();
        }
        _ => {
            place("A-19")?;
        }
    }
    Ok(())
}
