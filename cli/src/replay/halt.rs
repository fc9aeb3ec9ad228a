/// Why feeding ended.
pub(crate) enum Halt {
    End,
    Stopped,
    TooManyRejects(String),
    /// The file has more than may be read of it.
    Cut(String),
}
