"""What an export says about itself, to a person who has nothing but the zip file."""

README = """\
{name_ko} / {name_en}

이 파일에는 KAMP 워크벤치에 있던 이 기업의 모든 데이터가 들어 있습니다. 데이터의 주인은 기업입니다.
KAMP 없이도 열 수 있는 공개 형식만 씁니다.

  tenant.toml                    기업 ID, 이름, 설비, 시간대
  people.json                    이 기업에서 역할이 있던 사람
  audit.json                     이 기업에 대해 누가 언제 무엇을 했는지
  data/<데이터셋>/table/         표준 데이터셋: Parquet 파일과 판(버전) 기록(Delta Lake)
  data/<데이터셋>/ingests/       가져오기마다: 발견 사항·품질·열 맞추기(manifest.json), 보류된 행(Parquet)
  data/<데이터셋>/originals/     가져온 원본 파일(보관한 경우), images/에는 사진
  csv/<데이터셋>.csv             지금 판의 표를 CSV(UTF-8)로(만들었을 때)
  data/mappings/                 열 맞추기 파일(YAML)
  runs/<분석 실행>/              분석 실행: run.json, 표(Parquet), 그림, 모델, 노트북
  published/<분석 실행>/         게시한 보고서
  workspace/                     작업공간의 노트북과 파일
  manifest.json                  모든 파일의 크기와 SHA-256, 빠진 것과 그 이유

파이썬으로 열기: deltalake.DeltaTable("data/<데이터셋>/table").to_pandas()
한 번 내보낸 뒤 지운 행은 예전 Parquet 파일에 남아 있을 수 있습니다. 지금 판은 위처럼 열면 됩니다.

빠진 것(manifest.json의 "skipped"):
  link            링크(데이터가 아님)            special         파이프·소켓·장치(데이터가 아님)
  linked-outside  폴더 밖에도 이름이 있는 파일   sparse          대부분 비어 있는 거대한 파일
  too-deep        너무 깊은 폴더                 unreadable      읽을 수 없던 것
이름을 바꾼 파일은 manifest.json의 "original"에 본래 이름이 있습니다.

--------------------------------------------------------------------------------

Everything that KAMP Workbench held of this company. The data belong to the company, and
open without KAMP: only open formats are used.

  tenant.toml                    the company's id, names, equipment, time zone
  people.json                    who had which role here
  audit.json                     who did what to this company, and when
  data/<data set>/table/         standard data sets: Parquet files and their versions (Delta Lake)
  data/<data set>/ingests/       per ingest: findings, quality, column mapping (manifest.json),
                                 quarantined rows (Parquet)
  data/<data set>/originals/     the files as they came, where kept; pictures in images/
  csv/<data set>.csv             the newest version of each table as CSV (UTF-8), when made
  data/mappings/                 column mappings (YAML)
  runs/<run>/                    runs: run.json, tables (Parquet), figures, models, notebooks
  published/<run>/               published reports
  workspace/                     notebooks and files of the workspace
  manifest.json                  size and SHA-256 of every file; what is missing, and why

Open with Python: deltalake.DeltaTable("data/<data set>/table").to_pandas()
Older Parquet files may hold rows that newer versions do not; the line above opens the newest.

What is missing (manifest.json, "skipped"):
  link            links (no data)                  special     pipes, sockets, devices (no data)
  linked-outside  files with a name elsewhere      sparse      huge files of mostly nothing
  too-deep        folders too far down             unreadable  what could not be read
A file whose name was changed has its own name in manifest.json, "original".
"""
