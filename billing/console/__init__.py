"""What the console shows, read and put together: plain data with ids, codes and cents; the words are the page's."""
