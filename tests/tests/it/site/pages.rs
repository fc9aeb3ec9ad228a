//! What the site shows, and the means to break it.

use super::*;

impl Site {
    /// Adds a listing at the end, or changes it in place.
    pub(crate) fn list(&self, id: &str, price: i64) {
        self.set(id, price, "Active");
    }

    pub(crate) fn set(&self, id: &str, price: i64, status: &'static str) {
        let row = Row { id: id.into(), price, status, modified: self.clock.now() };
        let mut rows = self.rows.lock().unwrap();
        match rows.iter_mut().find(|row| row.id == id) {
            Some(known) => *known = row,
            None => rows.push(row),
        }
    }

    /// Adds a second listing with the ID of an existing one.
    pub(crate) fn list_again(&self, id: &str, price: i64) {
        let row = Row { id: id.into(), price, status: "Active", modified: self.clock.now() };
        self.rows.lock().unwrap().push(row);
    }

    /// Sets how the site shows modification times.
    pub(crate) fn show_times(&self, shown: impl Fn(Time) -> Time + Send + 'static) {
        *self.shown_time.lock().unwrap() = Box::new(shown);
    }

    /// Changes a price without changing the modification time.
    pub(crate) fn reprice(&self, id: &str, price: i64) {
        self.rows.lock().unwrap().iter_mut().filter(|row| row.id == id).for_each(|row| row.price = price);
    }

    /// Lists `n` homes named 1, 2, ...
    pub(crate) fn list_many(&self, n: usize) {
        for i in 1..=n {
            self.list(&i.to_string(), 100_000);
        }
    }

    /// Removes a listing; [`Site::restore`] puts the result back unchanged.
    pub(crate) fn remove(&self, id: &str) -> Row {
        take(&mut self.rows.lock().unwrap(), id)
    }

    pub(crate) fn restore(&self, row: Row) {
        self.rows.lock().unwrap().push(row);
    }

    /// Removes the site's first listing after page `number` was shown.
    pub(crate) fn remove_first_after_page(&self, number: usize) {
        self.after_page(number, |rows| drop(rows.remove(0)));
    }

    /// Moves the first listing to the end after page `number` was shown, as on sites where renewed listings go to the
    /// end.
    pub(crate) fn move_first_to_end_after_page(&self, number: usize) {
        self.after_page(number, |rows| rows.rotate_left(1));
    }

    fn after_page(&self, number: usize, edit: impl FnOnce(&mut Vec<Row>) + Send + 'static) {
        self.edits.lock().unwrap().insert(number, Box::new(edit));
    }

    /// Answers the next request for page `number` with this instead.
    pub(crate) fn fault(&self, number: usize, answer: HttpAnswer) {
        self.faults.lock().unwrap().insert(number, answer);
    }

    /// Answers every request for a page with this from now on.
    pub(crate) fn always(&self, answer: HttpAnswer) {
        self.serve(move |_| answer.clone());
    }

    /// Restores the site's own answers.
    pub(crate) fn as_it_is(&self) {
        *self.serve.lock().unwrap() = None;
    }

    /// Answers every request for a page with this function from now on.
    pub(crate) fn serve(&self, serve: impl Fn(&Request) -> HttpAnswer + Send + 'static) {
        *self.serve.lock().unwrap() = Some(Box::new(serve));
    }

    /// Answers this many more requests, and then none until there are more.
    pub(crate) fn freeze_after(&self, requests: u64) {
        self.answers_left.store(requests, Ordering::SeqCst);
    }

    /// Waits until a request is not answered.
    pub(crate) async fn is_frozen(&self) {
        stoop_waits::within("a request that is not answered", self.frozen.notified()).await;
    }

    pub(crate) fn set_robots(&self, answer: HttpAnswer) {
        *self.robots.lock().unwrap() = answer;
    }

    /// Sets another name for the price field, and the text before and after its value.
    pub(crate) fn call_price(&self, name: &'static str, [before, after]: [&'static str; 2]) {
        *self.price.lock().unwrap() = [name, before, after];
    }

    /// Takes the requests made so far.
    pub(crate) fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }

    /// Takes the page numbers requested so far.
    pub(crate) fn take_pages_asked(&self) -> Vec<usize> {
        let requests = self.take_requests();
        requests.iter().map(|request| page_of(&request.url)).collect()
    }

    fn page(&self, url: &str) -> String {
        let page = page_of(url);
        let (min, max) = (number(url, "min").unwrap_or(0), number(url, "max").unwrap_or(i64::MAX));
        let mut rows = self.rows.lock().unwrap();
        let found: Vec<&Row> = rows.iter().filter(|row| (min..max).contains(&row.price)).collect();
        let [name, before, after] = *self.price.lock().unwrap();
        let shown = found.iter().skip((page - 1) * PAGE).take(PAGE).map(|row| {
            let Row { id, price, status, modified } = row;
            let modified = (self.shown_time.lock().unwrap())(*modified);
            format!(r#"{{"id":"{id}","{name}":{before}{price}{after},"status":"{status}","modified":"{modified}"}}"#)
        });
        let shown = shown.collect::<Vec<_>>().join(",");
        // The links form a circle of two pages; only maps that follow links use them.
        let next = format!("https://site.test/list?page={}", 3 - page.min(2));
        let body = format!(r#"{{"total":{},"next":"{next}","listings":[{shown}]}}"#, found.len());
        if let Some(edit) = self.edits.lock().unwrap().remove(&page) {
            edit(&mut rows);
        }
        body
    }
}

fn take(rows: &mut Vec<Row>, id: &str) -> Row {
    let index = rows.iter().position(|row| row.id == id).unwrap_or_else(|| panic!("{id} is not on the site"));
    rows.remove(index)
}

fn page_of(url: &str) -> usize {
    number(url, "page").map_or(1, |n| usize::try_from(n).unwrap())
}

fn number(url: &str, param: &str) -> Option<i64> {
    let (_, query) = url.split_once('?')?;
    let value = query.split('&').find_map(|pair| pair.strip_prefix(param)?.strip_prefix('='))?;
    value.parse().ok()
}

#[async_trait]
impl Http for Site {
    async fn send(&self, request: &Request) -> Result<HttpAnswer, HttpError> {
        // Two concurrent polls alternate here.
        tokio::task::yield_now().await;
        self.requests.lock().unwrap().push(request.clone());
        if request.url.ends_with("/robots.txt") {
            return Ok(self.robots.lock().unwrap().clone());
        }
        if self.answers_left.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.frozen.notify_one();
            std::future::pending::<()>().await;
        }
        if let Some(serve) = &*self.serve.lock().unwrap() {
            return Ok(serve(request));
        }
        let fault = self.faults.lock().unwrap().remove(&page_of(&request.url));
        Ok(fault.unwrap_or_else(|| answer(200, &[("content-type", "application/json")], &self.page(&request.url))))
    }
}
