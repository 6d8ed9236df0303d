"""What rag_manager reads from its environment."""

from pydantic_settings import SettingsConfigDict

from runtime.secret_files import Settings


class RagSettings(Settings):
    """How much it does side by side, what it keeps, and for how long."""

    model_config = SettingsConfigDict(env_prefix="REPOSTREAM_RAG_", extra="ignore", frozen=True)
    index_slots: int = 2
    embed_slots: int = 2
    activate_slots: int = 2
    refine_slots: int = 1
    lexicon_cache_bytes: int = 2_000_000_000  # of unpacked lexical indexes on disk
    catalogue_chunks: int = 250_000  # chunks whose places are held in memory, about 1 KB each
    generation_grace: float = 120.0  # seconds that a replaced generation is still there, for searches under way
    analysis_grace: float = 86_400.0  # seconds that a replaced analysis can still be searched by its id
    janitor_interval: float = 30.0
    probe_interval: float = 300.0  # seconds between two checks that the collections in use are whole
