//! The contracts of Zhengming: its .proto files, the code generated from them, and who follows whom.
